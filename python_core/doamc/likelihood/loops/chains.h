/* Metropolis chains (see metropolis.py) of one vector of lanes. */
#ifndef DOAMC_CHAINS_H
#define DOAMC_CHAINS_H

#include "density.h"

/* Random numbers that all observations share: normal (T, d, S), increments before the covariance factors; difference
 * (T), index of a differential-evolution move or -1 where a step is normal; of each such move its scale (M), a factor on
 * the difference of the starts of two chains, pairs (M, 2, S); log_uniform (T, S). */
struct tables {
    int64_t steps, n_differences, chains;
    const double *normal, *scale, *log_uniform;
    const int64_t *difference, *pairs;
};

/* Chains of an observation. start, end: (d, S); value (S), their log posterior, in place; factors (S, d, d) of the
 * proposals' covariances; kept (d, keep, S): states of the last steps; accepted (S): how many of these were new. */
struct chains {
    int64_t keep;
    const double *start;
    double *end, *value;
    const double *factors;
    double *kept, *accepted;
};

/* Whether every index of the tables is one. */
static inline int valid_tables(const struct tables *t)
{
    for (int64_t i = 0; i < t->steps; ++i)
        if (t->difference[i] < -1 || t->difference[i] >= t->n_differences) return 0;
    for (int64_t i = 0; i < t->n_differences * 2 * t->chains; ++i)
        if (t->pairs[i] < 0 || t->pairs[i] >= t->chains) return 0;
    return 1;
}

/* The chains of the observation after the first b. */
static inline struct chains chains_of(const struct chains *c, int64_t b, int64_t d, int64_t size)
{
    return (struct chains){c->keep, c->start + b * d * size, c->end + b * d * size, c->value + b * size,
                           c->factors + b * size * d * d, c->kept + b * d * c->keep * size, c->accepted + b * size};
}

/* Factors (S, d, d) of chains from first on into w->factors (d, d), with the columns where a row begins and ends. */
INLINE void load_factors(const double *factors, int64_t d, int64_t count, struct workspace *w, int64_t (*span)[2])
{
    for (int64_t i = 0; i < d; ++i) {
        span[i][0] = d, span[i][1] = 0;
        for (int64_t j = 0; j < d; ++j) {
            vec factor;
            for (int l = 0; l < LANES; ++l) factor[l] = factors[((l < count ? l : count - 1) * d + i) * d + j];
            w->factors[i * d + j] = factor;
            if (!any((mask)(factor != all(0)))) continue;
            if (j < span[i][0]) span[i][0] = j;
            span[i][1] = j + 1;
        }
    }
}

/* Chains first to first + count of an observation. */
INLINE void run_lanes(
    const struct model *m, const struct observation *o, struct workspace *w, const struct tables *t,
    const struct chains *c, int64_t first, int64_t count, int64_t (*span)[2])
{
    const int64_t d = m->size, chains = t->chains;
    const double *start = c->start;
    vec *now = w->now, *new = w->x, value = load(c->value + first, count), taken = all(0);
    load_factors(c->factors + first * d * d, d, count, w, span);
    for (int64_t i = 0; i < d; ++i) now[i] = load(start + i * chains + first, count);
    for (int64_t step = 0; step < t->steps; ++step) {
        const int64_t difference = t->difference[step];
        for (int64_t i = 0; i < d; ++i) {
            vec move = all(0);
            if (difference >= 0) {
                const int64_t *pair = t->pairs + difference * 2 * chains + first;
                for (int l = 0; l < LANES; ++l) {
                    const int64_t at = l < count ? l : count - 1;
                    move[l] = start[i * chains + pair[at]] - start[i * chains + pair[chains + at]];
                }
                move *= t->scale[difference];
            } else
                for (int64_t j = span[i][0]; j < span[i][1]; ++j)
                    move += w->factors[i * d + j] * load(t->normal + (step * d + j) * chains + first, count);
            new[i] = now[i] + move;
        }
        const vec fresh = log_density(m, o, w, new);
        const mask ok = (mask)(load(t->log_uniform + step * chains + first, count) < fresh - value) & inside(m, new);
        value = select(ok, fresh, value);
        for (int64_t i = 0; i < d; ++i) now[i] = select(ok, new[i], now[i]);
        const int64_t late = step - (t->steps - c->keep);
        if (late < 0) continue;
        taken += select(ok, all(1), all(0));
        for (int64_t i = 0; i < d; ++i) store(c->kept + (i * c->keep + late) * chains + first, now[i], count);
    }
    for (int64_t i = 0; i < d; ++i) store(c->end + i * chains + first, now[i], count);
    store(c->value + first, value, count);
    store(c->accepted + first, taken, count);
}

#endif

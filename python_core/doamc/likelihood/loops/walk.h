/* The Metropolis walk (see metropolis.py and walk.py) of one vector of chains. */
#ifndef DOAMC_WALK_H
#define DOAMC_WALK_H

#include "density.h"

/* Random numbers that all observations share: normal (T, d, S) increments before the Cholesky factors; leaps (T) index
 * of a leap or -1, with factors (leaps) and pairs (leaps, 2, S): a leap is a factor times the difference of the starts
 * of two chains; log_uniform (T, S). */
struct tables {
    int64_t steps, n_leaps, chains;
    const double *normal, *factors, *log_uniform;
    const int64_t *leaps, *pairs;
};

/* Whether every index of the tables is one. */
static inline int valid_tables(const struct tables *t)
{
    for (int64_t i = 0; i < t->steps; ++i)
        if (t->leaps[i] < -1 || t->leaps[i] >= t->n_leaps) return 0;
    for (int64_t i = 0; i < t->n_leaps * 2 * t->chains; ++i)
        if (t->pairs[i] < 0 || t->pairs[i] >= t->chains) return 0;
    return 1;
}

/* Factors (S, d, d) of chains from first on into w->roots (d, d), with the columns where a row begins and ends. */
INLINE void load_roots(const double *roots, int64_t d, int64_t count, struct workspace *w, int64_t (*span)[2])
{
    for (int64_t i = 0; i < d; ++i) {
        span[i][0] = d, span[i][1] = 0;
        for (int64_t j = 0; j < d; ++j) {
            vec root;
            for (int l = 0; l < LANES; ++l) root[l] = roots[((l < count ? l : count - 1) * d + i) * d + j];
            w->roots[i * d + j] = root;
            if (!any((mask)(root != all(0)))) continue;
            if (j < span[i][0]) span[i][0] = j;
            span[i][1] = j + 1;
        }
    }
}

/* Chains first to first + count of an observation. start, end: (d, S); level (S), their log posterior, in place;
 * kept (d, keep, S): states of the last steps; accepted (S): how many of these were new. */
INLINE void walk_lanes(
    const struct model *m, const struct observation *o, struct workspace *w, const struct tables *t, int64_t first,
    int64_t count, const double *start, double *end, double *level, const double *roots, double *kept, int64_t keep,
    double *accepted, int64_t (*span)[2])
{
    const int64_t d = m->size, chains = t->chains;
    vec *now = w->now, *new = w->x, value = load(level + first, count), taken = all(0);
    load_roots(roots + first * d * d, d, count, w, span);
    for (int64_t i = 0; i < d; ++i) now[i] = load(start + i * chains + first, count);
    for (int64_t step = 0; step < t->steps; ++step) {
        const int64_t leap = t->leaps[step];
        for (int64_t i = 0; i < d; ++i) {
            vec move = all(0);
            if (leap >= 0) {
                const int64_t *pair = t->pairs + leap * 2 * chains + first;
                for (int l = 0; l < LANES; ++l) {
                    const int64_t at = l < count ? l : count - 1;
                    move[l] = start[i * chains + pair[at]] - start[i * chains + pair[chains + at]];
                }
                move *= t->factors[leap];
            } else
                for (int64_t j = span[i][0]; j < span[i][1]; ++j)
                    move += w->roots[i * d + j] * load(t->normal + (step * d + j) * chains + first, count);
            new[i] = now[i] + move;
        }
        const vec fresh = log_density(m, o, w, new);
        const mask ok = (mask)(load(t->log_uniform + step * chains + first, count) < fresh - value) & inside(m, new);
        value = select(ok, fresh, value);
        for (int64_t i = 0; i < d; ++i) now[i] = select(ok, new[i], now[i]);
        const int64_t late = step - (t->steps - keep);
        if (late < 0) continue;
        taken += select(ok, all(1), all(0));
        for (int64_t i = 0; i < d; ++i) store(kept + (i * keep + late) * chains + first, now[i], count);
    }
    for (int64_t i = 0; i < d; ++i) store(end + i * chains + first, now[i], count);
    store(level + first, value, count);
    store(accepted + first, taken, count);
}

#endif

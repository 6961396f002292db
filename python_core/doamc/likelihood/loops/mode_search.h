/* Mode search by damped Fisher scoring (see mode_search.py) of one vector of points, each of which stops at its own time. */
#ifndef DOAMC_MODE_SEARCH_H
#define DOAMC_MODE_SEARCH_H

#include "information.h"

/* as the constants of mode_search.py */
static const double WIDEST_STEP = 0.25, LEAST_GAIN = 0.01, LESS_DAMPING = 0.1, MORE_DAMPING = 10;
static const double LEAST_DAMPING = 1e-8, MOST_DAMPING = 1e4;

/* Solution of f x = b in place of b (d), for symmetric positive definite f (d, d), overwritten by its L D L^T. */
INLINE void solve(int64_t d, vec *f, vec *b)
{
    for (int64_t j = 0; j < d; ++j) {
        const vec one = 1.0 / f[j * d + j];
        for (int64_t i = j + 1; i < d; ++i) {
            const vec times = f[i * d + j] * one;
            for (int64_t k = j + 1; k <= i; ++k) f[i * d + k] -= times * f[k * d + j];
        }
        for (int64_t i = j + 1; i < d; ++i) {
            f[i * d + j] *= one;
            b[i] -= f[i * d + j] * b[j];
        }
    }
    for (int64_t i = d - 1; i >= 0; --i) {
        b[i] /= f[i * d + i];
        for (int64_t k = i + 1; k < d; ++k) b[i] -= f[k * d + i] * b[k];
    }
}

/* Where a wall stops coordinate i at now, whose gradient leads out of the box. */
INLINE mask held(const struct model *m, int64_t i, vec now, vec gradient)
{
    if (i >= m->n_box) return (mask){0};
    return ((mask)(now <= m->low[i]) & (mask)(gradient < 0)) | ((mask)(now >= m->high[i]) & (mask)(gradient > 0));
}

/* Step of points at now (d) into w->x (d): scoring, clipped to a share of the box's width, then to its walls. */
INLINE void propose(const struct model *m, struct workspace *w, const vec *now, vec damping, const double *ridge)
{
    const int64_t d = m->size;
    vec *f = w->f, *step = w->x;
    for (int64_t i = 0; i < d; ++i) f[i * d + i] += f[i * d + i] * damping + ridge[i];
    for (int64_t i = 0; i < d; ++i) {
        const mask still = held(m, i, now[i], w->gradient[i]);
        step[i] = select(still, all(0), w->gradient[i]);
        if (!any(still)) continue;
        for (int64_t j = 0; j < d; ++j) {
            f[i * d + j] = select(still, all(i == j), f[i * d + j]);
            f[j * d + i] = select(still, all(i == j), f[j * d + i]);
        }
    }
    solve(d, f, step);
    for (int64_t i = 0; i < d; ++i) {
        const double widest = WIDEST_STEP * (m->high[i] - m->low[i]);
        vec to = now[i] + least(greatest(step[i], all(-widest)), all(widest));
        if (i < m->n_box) to = least(greatest(to, all(m->low[i])), all(m->high[i]));
        step[i] = to;
    }
}

/* Points first to first + count of an observation, in place: x (d, G), value, damping and done (G); ridge (d). */
INLINE void search_lanes(
    const struct model *m, const struct observation *o, struct workspace *w, int64_t points, int64_t first,
    int64_t count, double *x, double *value, double *damping, uint8_t *done, const double *ridge, int64_t steps)
{
    const int64_t d = m->size;
    vec *now = w->now, level = load(value + first, count), damp = load(damping + first, count);
    mask going;
    for (int l = 0; l < LANES; ++l) going[l] = l < count && !done[first + l] ? -1 : 0;
    for (int64_t i = 0; i < d; ++i) now[i] = load(x + i * points + first, count);
    for (int64_t step = 0; step < steps && any(going); ++step) {
        information(m, o, w, now);
        propose(m, w, now, damp, ridge);
        const vec fresh = log_density(m, o, w, w->x);
        const mask better = (mask)(fresh > level) & inside(m, w->x) & going;
        for (int64_t i = 0; i < d; ++i) now[i] = select(better, w->x[i], now[i]);
        going &= ~(better & (mask)(fresh - level < LEAST_GAIN));
        level = select(better, fresh, level);
        damp = least(greatest(damp * select(better, all(LESS_DAMPING), all(MORE_DAMPING)), all(LEAST_DAMPING)), all(MOST_DAMPING));
    }
    for (int64_t i = 0; i < d; ++i) store(x + i * points + first, now[i], count);
    store(value + first, level, count);
    store(damping + first, damp, count);
    for (int l = 0; l < count && l < LANES; ++l) done[first + l] = !going[l];
}

#endif

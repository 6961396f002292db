/* Correlated sources: the factor Gamma of their correlation (see source_correlation.py), V Gamma, and its derivatives. */
#ifndef DOAMC_SOURCE_CORRELATION_H
#define DOAMC_SOURCE_CORRELATION_H

#include "elementary.h"
#include "workspace.h"

/* Gamma (P, P), lower triangular, at x; of one pair, the derivative by its angle: sin and cos a quarter turn ahead. */
INLINE void factor(const struct model *m, const vec *x, int64_t ahead, cvec *gamma)
{
    const int64_t p_n = m->n_sources;
    memset(gamma, 0, sizeof(cvec) * (size_t)(p_n * p_n));
    int64_t index = 0;
    for (int64_t p = 0; p < p_n; ++p) {
        vec left = all(1);
        for (int64_t q = 0; q < p; ++q, ++index) {
            cvec angle = cis(x[m->angle + index]);
            if (index == ahead) angle = turn(angle);
            gamma[p * p_n + q] = scale(left * angle.im, cis(x[m->phase + index]));
            left *= angle.re;
        }
        gamma[p * p_n + p] = (cvec){left, all(0)};
    }
}

/* V Gamma in place of V (N, P). */
INLINE void mix(const struct model *m, const cvec *gamma, cvec *v)
{
    const int64_t p_n = m->n_sources;
    for (int64_t i = 0; i < m->n; ++i, v += p_n)
        for (int64_t q = 0; q < p_n; ++q) { /* column q takes from p >= q, which are not yet overwritten */
            cvec total = {all(0), all(0)};
            for (int64_t p = q; p < p_n; ++p) total = add(total, mul(v[p], gamma[p * p_n + q]));
            v[q] = total;
        }
}

/* V becomes V Gamma, and slopes (d, N, P) its derivatives, those by the correlations included. */
INLINE void mix_slopes(const struct model *m, struct workspace *w, const vec *x)
{
    const int64_t p_n = m->n_sources, np = m->n * p_n;
    cvec *gamma = w->gamma, *ahead = w->h;
    factor(m, x, -1, gamma);
    for (int64_t i = 0; i < m->size; ++i) mix(m, gamma, w->slopes + i * np);
    int64_t index = 0;
    for (int64_t p = 0; p < p_n; ++p)
        for (int64_t q = 0; q < p; ++q, ++index) {
            cvec *by_angle = w->slopes + (m->angle + index) * np, *by_phase = w->slopes + (m->phase + index) * np;
            factor(m, x, index, ahead);
            for (int64_t i = 0; i < m->n; ++i) {
                const cvec v = w->v[i * p_n + p];
                by_phase[i * p_n + q] = turn(mul(v, gamma[p * p_n + q]));
                for (int64_t k = q; k <= p; ++k) by_angle[i * p_n + k] = mul(v, ahead[p * p_n + k]);
            }
        }
    mix(m, gamma, w->v);
}

#endif

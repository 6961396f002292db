/* Log likelihood and normal prior (the formulas stand in density.py), and the support of the prior. */
#ifndef DOAMC_DENSITY_H
#define DOAMC_DENSITY_H

#include "source_correlation.h"
#include "response.h"

/* Of V (N, P): w = Rhat V, m = V^H V + s2 I and q = V^H Rhat V, both Hermitian with all entries set. */
INLINE void grams(const struct model *m, const struct observation *o, struct workspace *w, vec s2)
{
    const int64_t n = m->n, p_n = m->n_sources;
    for (int64_t i = 0; i < n; ++i)
        for (int64_t p = 0; p < p_n; ++p) {
            const double *r = o->covariance + 2 * i * n;
            cvec total = {all(0), all(0)};
            for (int64_t j = 0; j < n; ++j, r += 2) {
                const cvec v = w->v[j * p_n + p];
                total.re += r[0] * v.re - r[1] * v.im;
                total.im += r[0] * v.im + r[1] * v.re;
            }
            w->w[i * p_n + p] = total;
        }
    for (int64_t p = 0; p < p_n; ++p)
        for (int64_t q = 0; q <= p; ++q) {
            cvec own = {all(0), all(0)}, received = {all(0), all(0)};
            for (int64_t i = 0; i < n; ++i) {
                const cvec v = w->v[i * p_n + p];
                own = add(own, conj_mul(v, w->v[i * p_n + q]));
                received = add(received, conj_mul(v, w->w[i * p_n + q]));
            }
            if (p == q) {
                own = (cvec){own.re + s2, all(0)};
                received.im = all(0);
            }
            w->m[p * p_n + q] = own;
            w->q[p * p_n + q] = received;
            w->m[q * p_n + p] = conjugate(own);
            w->q[q * p_n + p] = conjugate(received);
        }
}

/* log det M and tr(M^-1 Q) of Hermitian m and q (P, P), overwritten: elimination of one source after the other. */
INLINE vec eliminate(int64_t p_n, cvec *m, cvec *q, vec *trace)
{
    vec log_det = all(0), total = all(0);
    for (int64_t k = 0; k < p_n; ++k) {
        const vec pivot = m[k * p_n + k].re, head = q[k * p_n + k].re, one = 1.0 / pivot;
        log_det += log_of(pivot);
        total += head * one;
        for (int64_t i = k + 1; i < p_n; ++i) {
            const cvec column = scale(one, m[i * p_n + k]);
            for (int64_t j = k + 1; j <= i; ++j) { /* the lower triangle is enough */
                const cvec row = scale(one, m[j * p_n + k]);
                cvec *to = q + i * p_n + j;
                *to = add(*to, scale(head, mul(column, conjugate(row))));
                *to = sub(*to, mul(column, conjugate(q[j * p_n + k])));
                *to = sub(*to, conj_mul(row, q[i * p_n + k]));
                m[i * p_n + j] = sub(m[i * p_n + j], mul(column, conjugate(m[j * p_n + k])));
            }
        }
    }
    *trace = total;
    return log_det;
}

INLINE vec log_noise(const struct model *m, const struct observation *o, const vec *x)
{
    return m->unknown_noise ? x[m->noise] : all(o->log_noise);
}

/* Log likelihood and normal prior at x (d). */
INLINE vec log_density(const struct model *m, const struct observation *o, struct workspace *w, const vec *x)
{
    steering(m, w, x, 0);
    coefficients(m, w, x);
    couple(m, w, w->a, w->v);
    if (m->n_pairs) {
        factor(m, x, -1, w->gamma);
        mix(m, w->gamma, w->v);
    }
    const vec noise = log_noise(m, o, x), s2 = exp_of(noise);
    grams(m, o, w, s2);
    vec trace, prior = all(0);
    const vec log_det = eliminate(m->n_sources, w->m, w->q, &trace);
    for (int64_t k = 0; k < m->n_normal; ++k) prior -= 0.5 * x[m->flat + k] * x[m->flat + k];
    return prior - o->count * (log_det + (double)(m->n - m->n_sources) * noise + (o->trace - trace) / s2);
}

/* Where x lies in the box with its azimuths apart. */
INLINE mask inside(const struct model *m, const vec *x)
{
    mask ok = (mask)(all(0) == all(0));
    for (int64_t i = 0; i < m->n_box; ++i) ok &= (mask)(x[i] >= m->low[i]) & (mask)(x[i] <= m->high[i]);
    for (int64_t p = 0; p < m->n_sources; ++p)
        for (int64_t q = 0; q < p; ++q) {
            const vec apart = x[m->azimuth + p] - x[m->azimuth + q];
            if (m->elevated) {
                const vec a = x[m->height + p], b = x[m->height + q];
                ok &= (mask)(a * b + across(a) * across(b) * cis(apart).re < m->gap);
            } else if (m->circle) ok &= (mask)(cis(apart).re < m->gap);
            else ok &= (mask)(apart > m->gap) | (mask)(apart < -m->gap);
        }
    return ok;
}

#endif

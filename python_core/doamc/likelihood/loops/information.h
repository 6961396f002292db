/* Gradient of the log density and Fisher information, with the normal prior's precision (formulas in fisher.py).
 *
 * No N x N matrix is formed. With M = V^H V + s2 I, Q = V^H Rhat V and U = V M^-1:
 *   R^-1 V = U,  V^H R^-1 V = I - s2 M^-1,  R^-1 X = (X - U V^H X) / s2,
 *   R^-1 Rhat R^-1 V = (Rhat V M^-1 - U Q M^-1) / s2,
 *   |R^-1|^2 = (N - P) / s2^2 + |M^-1|^2,  tr R^-1 = (N - P) / s2 + tr M^-1,
 *   tr(R^-1 Rhat R^-1) = (tr Rhat - tr(Q M^-1) - s2 tr(M^-1 Q M^-1)) / s2^2.
 */
#ifndef DOAMC_INFORMATION_H
#define DOAMC_INFORMATION_H

#include "density.h"

/* out (rows, P) = a (rows, P) b (P, P) */
INLINE void product(int64_t rows, int64_t p_n, const cvec *a, const cvec *b, cvec *out)
{
    for (int64_t i = 0; i < rows; ++i)
        for (int64_t q = 0; q < p_n; ++q) {
            cvec total = mul(a[i * p_n], b[q]);
            for (int64_t p = 1; p < p_n; ++p) total = add(total, mul(a[i * p_n + p], b[p * p_n + q]));
            out[i * p_n + q] = total;
        }
}

/* Inverse of Hermitian positive definite m (P, P), which is overwritten: Gauss-Jordan elimination. */
INLINE void invert(int64_t p_n, cvec *m, cvec *out)
{
    memset(out, 0, sizeof(cvec) * (size_t)(p_n * p_n));
    for (int64_t i = 0; i < p_n; ++i) out[i * p_n + i].re = all(1);
    for (int64_t k = 0; k < p_n; ++k) {
        const vec one = 1.0 / m[k * p_n + k].re;
        for (int64_t j = 0; j < p_n; ++j) {
            m[k * p_n + j] = scale(one, m[k * p_n + j]);
            out[k * p_n + j] = scale(one, out[k * p_n + j]);
        }
        for (int64_t i = 0; i < p_n; ++i) {
            if (i == k) continue;
            const cvec times = m[i * p_n + k];
            for (int64_t j = 0; j < p_n; ++j) {
                m[i * p_n + j] = sub(m[i * p_n + j], mul(times, m[k * p_n + j]));
                out[i * p_n + j] = sub(out[i * p_n + j], mul(times, out[k * p_n + j]));
            }
        }
    }
}

/* V and its derivatives by all coordinates but the noise, into w->v (N, P) and w->slopes (d, N, P). */
INLINE void slopes(const struct model *m, struct workspace *w, const vec *x)
{
    const int64_t n = m->n, p_n = m->n_sources, np = n * p_n;
    steering(m, w, x, 1);
    coefficients(m, w, x);
    couple(m, w, w->a, w->v);
    couple(m, w, w->da, w->dv);
    memset(w->slopes, 0, sizeof(cvec) * (size_t)(m->size * np));
    for (int64_t p = 0; p < p_n; ++p)
        for (int64_t i = 0; i < n; ++i) {
            w->slopes[(m->amplitude + p) * np + i * p_n + p] = w->v[i * p_n + p];
            w->slopes[(m->azimuth + p) * np + i * p_n + p] = w->dv[i * p_n + p];
        }
    if (m->elevated) {
        couple(m, w, w->dh, w->dv);
        for (int64_t p = 0; p < p_n; ++p)
            for (int64_t i = 0; i < n; ++i) w->slopes[(m->height + p) * np + i * p_n + p] = w->dv[i * p_n + p];
    }
    memset(w->moved, 0, sizeof(cvec) * (size_t)(m->n_patterns * np)); /* B_k a */
    for (const struct cell *cell = w->cells; cell < w->cells + w->n_cells; ++cell)
        for (const struct term *b = w->terms + cell->first; b < w->terms + cell->end; ++b)
            for (int64_t p = 0; p < p_n; ++p) {
                cvec *to = w->moved + b->k * np + cell->i * p_n + p;
                const cvec a = w->a[cell->j * p_n + p];
                to->re += b->re * a.re - b->im * a.im;
                to->im += b->re * a.im + b->im * a.re;
            }
    memcpy(w->slopes + m->flat * np, w->moved, sizeof(cvec) * (size_t)(m->n_real * np));
    for (int64_t k = m->n_real; k < m->n_flat; ++k) {
        const cvec *moved = w->moved + k * np, *mirrored = w->moved + (m->n_flat + k - m->n_real) * np;
        cvec *by_size = w->slopes + (m->flat + k) * np;
        cvec *by_phase = w->slopes + (m->wrapping + k - m->n_real) * np;
        const vec size = x[m->flat + k];
        for (int64_t i = 0; i < np; ++i) {
            by_size[i] = mul(w->unit[k], moved[i]);
            by_phase[i] = turn(scale(size, by_size[i]));
            if (!m->hermitian) continue;
            const cvec other = conj_mul(w->unit[k], mirrored[i]);
            by_size[i] = add(by_size[i], other);
            by_phase[i] = sub(by_phase[i], turn(scale(size, other)));
        }
    }
    if (m->n_pairs) mix_slopes(m, w, x);
}

/* Gradient (d) and Fisher information (d, d) at x (d) into w->gradient and w->f. */
INLINE void information(const struct model *m, const struct observation *o, struct workspace *w, const vec *x)
{
    const int64_t n = m->n, p_n = m->n_sources, np = n * p_n, pp = p_n * p_n, d = m->size;
    slopes(m, w, x);
    const vec s2 = exp_of(log_noise(m, o, x)), over = 1.0 / s2;
    grams(m, o, w, s2);
    invert(p_n, w->m, w->inverse);
    product(n, p_n, w->v, w->inverse, w->u);
    product(n, p_n, w->u, w->inverse, w->ru);
    product(p_n, p_n, w->q, w->inverse, w->e);
    product(n, p_n, w->u, w->e, w->z);
    product(n, p_n, w->w, w->inverse, w->side); /* Rhat U, where the sides will be */
    for (int64_t i = 0; i < np; ++i) w->z[i] = sub(scale(over, sub(w->side[i], w->z[i])), w->u[i]);
    for (int64_t i = 0; i < pp; ++i) { /* (V^H R^-1 V) / s2 */
        w->h[i] = scale(-s2, w->inverse[i]);
        if (i % (p_n + 1) == 0) w->h[i].re += 1.0;
        w->h[i] = scale(over, w->h[i]);
    }
    const double twice = 2 * o->count;
    for (int64_t i = 0; i < d; ++i) {
        const cvec *slope = w->slopes + i * np;
        cvec *inner = w->inner + i * pp, *side = w->side + i * np, *rest = w->dv;
        vec up = all(0), cross = all(0);
        for (int64_t k = 0; k < np; ++k) {
            up += real_dot(slope[k], w->z[k]);
            cross += real_dot(slope[k], w->ru[k]);
        }
        w->gradient[i] = twice * up;
        if (m->unknown_noise) w->f[i * d + m->noise] = w->f[m->noise * d + i] = twice * s2 * cross;
        memset(inner, 0, sizeof(cvec) * (size_t)pp); /* U^H dV */
        for (int64_t k = 0; k < n; ++k)
            for (int64_t p = 0; p < p_n; ++p)
                for (int64_t q = 0; q < p_n; ++q)
                    inner[p * p_n + q] = add(inner[p * p_n + q], conj_mul(w->u[k * p_n + p], slope[k * p_n + q]));
        product(n, p_n, w->v, inner, rest);
        for (int64_t k = 0; k < np; ++k) rest[k] = sub(slope[k], rest[k]); /* s2 R^-1 dV, as V = U M */
        product(n, p_n, rest, w->h, side);
    }
    for (int64_t i = 0; i < d; ++i)
        for (int64_t j = 0; j <= i; ++j) {
            if (m->unknown_noise && (i == m->noise || j == m->noise)) continue;
            const cvec *a = w->inner + i * pp, *b = w->inner + j * pp;
            const cvec *side = w->side + i * np, *slope = w->slopes + j * np;
            vec total = all(0);
            for (int64_t p = 0; p < p_n; ++p)
                for (int64_t q = 0; q < p_n; ++q) total += real_mul(a[p * p_n + q], b[q * p_n + p]);
            for (int64_t k = 0; k < np; ++k) total += real_dot(side[k], slope[k]);
            w->f[i * d + j] = w->f[j * d + i] = twice * total;
        }
    if (m->unknown_noise) {
        vec square = all(0), trace = all(0), once = all(0), again = all(0);
        for (int64_t p = 0; p < p_n; ++p) {
            trace += w->inverse[p * p_n + p].re;
            once += w->e[p * p_n + p].re;
            for (int64_t q = 0; q < p_n; ++q) {
                square += real_dot(w->inverse[p * p_n + q], w->inverse[p * p_n + q]);
                again += real_mul(w->inverse[p * p_n + q], w->e[q * p_n + p]);
            }
        }
        const double rest = (double)(n - p_n);
        w->f[m->noise * d + m->noise] = o->count * (rest + s2 * s2 * square);
        w->gradient[m->noise] = o->count * ((o->trace - once - s2 * again) * over - rest - s2 * trace);
    }
    for (int64_t k = m->flat; k < m->flat + m->n_normal; ++k) {
        w->gradient[k] -= x[k];
        w->f[k * d + k] += 1.0;
    }
}

#endif

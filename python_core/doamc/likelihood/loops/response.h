/* V = C A: amplitudes and steering vectors, coefficients of the coupling, and their product. */
#ifndef DOAMC_RESPONSE_H
#define DOAMC_RESPONSE_H

#include "elementary.h"
#include "workspace.h"

/* Cosine of an elevation of which height is the sine. */
INLINE vec across(vec height) { return root_of(greatest(1.0 - height * height, all(1e-12))); }

/* Functions on the sphere, sin^m el cos^h el {cos h az, sin h az}, times the first block of steering vectors of source p,
 * as `sphere_functions` of angular.py; where asked for, their derivatives. */
INLINE void sphere_blocks(const struct model *m, struct workspace *w, int64_t p, int derive, cvec bearing, vec height)
{
    const int64_t n = m->n, p_n = m->n_sources, order = sphere_order(m->wide / n);
    const vec level = across(height);
    vec up = all(1), under = all(0); /* height^i, and its derivative */
    for (int64_t i = 0, j = 0; i <= order; ++i) {
        cvec wave = {all(1), all(0)}; /* (level e^{j az})^h */
        for (int64_t h = 0; h <= order - i; ++h) {
            const vec times = (double)h * (-height / (level * level)); /* derivative of level^h, over it */
            for (int sine = 0; sine <= (h > 0); ++sine, ++j) {
                if (j == 0) continue; /* the first block is there */
                const vec wave_now = sine ? wave.im : wave.re, across_now = sine ? wave.re : -wave.im;
                const vec g = up * wave_now, by_azimuth = (double)h * up * across_now;
                const vec by_height = (under + up * times) * wave_now;
                for (int64_t k = 0; k < n; ++k) {
                    const int64_t from = k * p_n + p, at = (j * n + k) * p_n + p;
                    w->a[at] = scale(g, w->a[from]);
                    if (!derive) continue;
                    w->da[at] = add(scale(by_azimuth, w->a[from]), scale(g, w->da[from]));
                    w->dh[at] = add(scale(by_height, w->a[from]), scale(g, w->dh[from]));
                }
            }
            wave = scale(level, mul(wave, bearing));
        }
        under = under * height + up;
        up = up * height;
    }
}

/* Amplitude times (extended) steering vectors of sources with heights at x into a (J N, P); where asked for, their derivatives. */
INLINE void elevated_steering(const struct model *m, struct workspace *w, const vec *x, int derive)
{
    const int64_t n = m->n, p_n = m->n_sources;
    for (int64_t p = 0; p < p_n; ++p) {
        const vec size = exp_of(x[m->amplitude + p]), height = x[m->height + p], level = across(height);
        const cvec bearing = cis(x[m->azimuth + p]);
        for (int64_t i = 0; i < n; ++i) {
            const double *at = m->steer + 2 * i, rise = m->rise[i];
            const vec along = at[0] * bearing.re + at[1] * bearing.im;
            const cvec a = scale(size, cis(level * along + rise * height));
            w->a[i * p_n + p] = a;
            if (!derive) continue;
            w->da[i * p_n + p] = turn(scale(level * (at[1] * bearing.re - at[0] * bearing.im), a));
            w->dh[i * p_n + p] = turn(scale(rise - along * height / level, a));
        }
        if (m->wide > n) sphere_blocks(m, w, p, derive, bearing, height);
    }
}

/* Amplitude times extended steering vectors at x into a (J N, P), powers of one factor where the elements stand evenly on a line; where asked
 * for, their derivatives by azimuth into da. */
INLINE void steering(const struct model *m, struct workspace *w, const vec *x, int derive)
{
    if (m->elevated) {
        elevated_steering(m, w, x, derive);
        return;
    }
    const int64_t n = m->n, p_n = m->n_sources, blocks = m->wide / n;
    for (int64_t p = 0; p < p_n; ++p) {
        const vec size = exp_of(x[m->amplitude + p]);
        const cvec bearing = cis(x[m->azimuth + p]);
        cvec *a = w->a + p, *da = w->da + p;
        if (m->even) {
            const double *at = m->steer + 2 * (n > 1);
            const cvec factor = cis(at[0] * bearing.re + at[1] * bearing.im);
            a[0] = (cvec){size, all(0)};
            for (int64_t i = 1; i < n; ++i) a[i * p_n] = mul(a[(i - 1) * p_n], factor);
        } else
            for (int64_t i = 0; i < n; ++i) {
                const double *at = m->steer + 2 * i;
                a[i * p_n] = scale(size, cis(at[0] * bearing.re + at[1] * bearing.im));
            }
        if (derive)
            for (int64_t i = 0; i < n; ++i) {
                const double *at = m->steer + 2 * i;
                da[i * p_n] = turn(scale(at[1] * bearing.re - at[0] * bearing.im, a[i * p_n]));
            }
        for (int64_t j = 1; j < blocks; ++j) { /* cos az, sin az, cos 2 az, ... times the first block */
            const double order = (double)((j + 1) / 2);
            const cvec angle = order == 1 ? bearing : cis(order * x[m->azimuth + p]);
            const vec g = j % 2 ? angle.re : angle.im, slope = order * (j % 2 ? -angle.im : angle.re);
            for (int64_t i = 0; i < n; ++i) {
                const int64_t at = (j * n + i) * p_n;
                a[at] = scale(g, a[i * p_n]);
                if (derive) da[at] = add(scale(slope, a[i * p_n]), scale(g, da[i * p_n]));
            }
        }
    }
}

/* Coefficients of the patterns at x into c (K'). */
INLINE void coefficients(const struct model *m, struct workspace *w, const vec *x)
{
    for (int64_t k = 0; k < m->n_real; ++k) w->c[k] = (cvec){x[m->flat + k], all(0)};
    for (int64_t k = m->n_real; k < m->n_flat; ++k) {
        w->unit[k] = cis(x[m->wrapping + k - m->n_real]);
        w->c[k] = scale(x[m->flat + k], w->unit[k]);
        if (m->hermitian) w->c[m->n_flat + k - m->n_real] = conjugate(w->c[k]);
    }
}

/* An entry of C = mean + sum_k c_k B_k. */
INLINE cvec entry(const struct workspace *w, const struct cell *cell)
{
    cvec e = {all(cell->re), all(cell->im)};
    for (int64_t t = cell->first; t < cell->middle; ++t) {
        const struct term *b = w->terms + t;
        const vec c = w->c[b->k].re;
        e.re += c * b->re;
        e.im += c * b->im;
    }
    for (int64_t t = cell->middle; t < cell->end; ++t) {
        const struct term *b = w->terms + t;
        const cvec c = w->c[b->k];
        e.re += c.re * b->re;
        e.im += c.re * b->im;
        e.re -= c.im * b->im;
        e.im += c.im * b->re;
    }
    return e;
}

/* C times columns from (J N, P) into to (N, P). */
INLINE void couple(const struct model *m, const struct workspace *w, const cvec *from, cvec *to)
{
    const int64_t p_n = m->n_sources;
    memset(to, 0, sizeof(cvec) * (size_t)(m->n * p_n));
    for (const struct cell *cell = w->cells; cell < w->cells + w->n_cells; ++cell) {
        const cvec e = entry(w, cell);
        for (int64_t p = 0; p < p_n; ++p) {
            cvec *v = to + cell->i * p_n + p;
            *v = add(*v, mul(e, from[cell->j * p_n + p]));
        }
    }
}

#endif

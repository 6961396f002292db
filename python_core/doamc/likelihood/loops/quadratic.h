/* Azimuths that minimise a^H M a, M Hermitian (see estimators/quadratic.py): a grid, then Newton steps. */
#ifndef DOAMC_QUADRATIC_H
#define DOAMC_QUADRATIC_H

#include "elementary.h"

/* An array and its grid. */
struct spectrum {
    int64_t n, points, circle, newton; /* elements N, azimuths G, whether they close a circle, steps from there */
    const double *wave;                /* (N, 2): 2 pi x and 2 pi y in wavelengths */
    const double *azimuth;             /* (G,), evenly spaced */
    const double *kernel;              /* (N (N - 1), G): f is linear in the entries of M above the diagonal */
    double low, high;                  /* sector; a circle has its own turn from `low` on */
};

/* f (G) of M (N, N) complex */
INLINE void form_on_grid(const struct spectrum *s, const double *m, double *f)
{
    const int64_t n = s->n, points = s->points, pairs = n * (n - 1) / 2;
    double trace = 0;
    for (int64_t i = 0; i < n; ++i) trace += m[2 * i * (n + 1)];
    for (int64_t g = 0; g < points; ++g) f[g] = trace;
    const double *re = s->kernel, *im = s->kernel + pairs * points;
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = i + 1; j < n; ++j, re += points, im += points) {
            const double x = m[2 * (i * n + j)], y = m[2 * (i * n + j) + 1];
            for (int64_t g = 0; g < points; ++g) f[g] += x * re[g] + y * im[g];
        }
}

/* Whether f has a local minimum at point g; at the end of a sector it may lie beyond. inner: whether a parabola has one. */
INLINE int lowest_about(const struct spectrum *s, const double *f, int64_t g, int *inner)
{
    const int64_t last = s->points - 1;
    *inner = g > 0 && g < last && f[g] <= f[g - 1] && f[g] < f[g + 1];
    if (g > 0 && g < last) return *inner;
    if (s->circle) return g ? f[g] <= f[g - 1] && f[g] < f[0] : f[0] <= f[last] && f[0] < f[1];
    return g ? f[g] < f[g - 1] : f[0] < f[1];
}

/* Phases of a, their slopes by azimuth, and a, each to whole vectors, into side (4, N). */
INLINE void steer(const struct spectrum *s, double azimuth, vec *side)
{
    const int64_t n = s->n, blocks = (n + LANES - 1) / LANES;
    const cvec turned = cis(all(azimuth));
    const double x = turned.re[0], y = turned.im[0];
    vec *phase = side, *tilt = side + blocks, *re = side + 2 * blocks, *im = side + 3 * blocks;
    for (int64_t k = 0; k < blocks; ++k) {
        for (int64_t l = 0; l < LANES; ++l) {
            const int64_t i = k * LANES + l < n ? k * LANES + l : n - 1;
            phase[k][l] = s->wave[2 * i] * x + s->wave[2 * i + 1] * y;
            tilt[k][l] = s->wave[2 * i + 1] * x - s->wave[2 * i] * y;
        }
        const cvec a = cis(phase[k]);
        re[k] = a.re;
        im[k] = a.im;
    }
}

/* Slope and half the bend of f by azimuth: with phases phi of a, slopes s of these and q = a* (M a),
 * f' = 2 sum s Im q and f'' = 2 (Re (s a)^H M (s a) - sum (phi Im q + s^2 Re q)). side: (4, N) to compute in. */
INLINE void slopes_at(const struct spectrum *s, const double *m, double azimuth, vec *side, double *slope, double *bend)
{
    const int64_t n = s->n, blocks = (n + LANES - 1) / LANES;
    steer(s, azimuth, side);
    const vec *phase = side, *tilt = side + blocks, *re = side + 2 * blocks, *im = side + 3 * blocks;
    const double *p = (const double *)phase, *t = (const double *)tilt, *u = (const double *)re, *v = (const double *)im;
    double first = 0, second = 0;
    for (int64_t i = 0; i < n; ++i) {
        double plain_re = 0, plain_im = 0, tilted_re = 0, tilted_im = 0;
        for (int64_t j = 0; j < n; ++j) {
            const double mr = m[2 * (i * n + j)], mi = m[2 * (i * n + j) + 1];
            const double wr = mr * u[j] - mi * v[j], wi = mr * v[j] + mi * u[j];
            plain_re += wr;
            plain_im += wi;
            tilted_re += t[j] * wr;
            tilted_im += t[j] * wi;
        }
        const double q_re = u[i] * plain_re + v[i] * plain_im, q_im = u[i] * plain_im - v[i] * plain_re;
        first += t[i] * q_im;
        second += t[i] * (u[i] * tilted_re + v[i] * tilted_im) - p[i] * q_im - t[i] * t[i] * q_re;
    }
    *slope = first;
    *bend = second;
}

/* Have point g among the lowest `count` of f, sorted from `first` on; returns how many there are. */
INLINE int64_t insert(int64_t *place, int64_t first, int64_t found, int64_t count, const double *f, int64_t g)
{
    if (found < count) ++found;
    else if (first == count || !(f[g] < f[place[count - 1]])) return found;
    int64_t k = found - 1;
    for (; k > first && f[place[k - 1]] > f[g]; --k) place[k] = place[k - 1];
    place[k] = g;
    return found;
}

/* An azimuth kept in the sector, or brought to its turn. */
INLINE double kept(const struct spectrum *s, double azimuth)
{
    const double turn = 6.283185307179586;
    if (!s->circle) return azimuth < s->low ? s->low : azimuth > s->high ? s->high : azimuth;
    const double rest = fmod(azimuth - s->low, turn);
    return s->low + (rest < 0 ? rest + turn : rest);
}

/* Azimuths (count), ascending, of the lowest local minima of f, and of the lowest other points where there are fewer.
 * f (G), side (4 N, to whole lanes) and place (count): to compute in. */
INLINE void minima_of(
    const struct spectrum *s, const double *m, int64_t count, double *f, vec *side, int64_t *place, double *out)
{
    const double step = s->azimuth[1] - s->azimuth[0];
    int64_t found = 0;
    int inner;
    form_on_grid(s, m, f);
    for (int other = 0; other < 2 && found < count; ++other)
        for (int64_t g = 0, first = found; g < s->points; ++g)
            if (lowest_about(s, f, g, &inner) != other) found = insert(place, first, found, count, f, g);
    for (int64_t k = 0; k < count; ++k) {
        const int64_t g = place[k];
        double start = s->azimuth[g], slope, bend;
        lowest_about(s, f, g, &inner);
        if (inner) {
            bend = f[g - 1] - 2 * f[g] + f[g + 1];
            start += 0.5 * (f[g - 1] - f[g + 1]) / (bend > 1e-300 ? bend : 1e-300) * step;
        }
        double azimuth = start;
        for (int64_t i = 0; i < s->newton; ++i) {
            slopes_at(s, m, azimuth, side, &slope, &bend);
            const double moved = azimuth - start - (bend > 0 ? slope / (bend > 1e-300 ? bend : 1e-300) : 0);
            azimuth = start + (moved > step ? step : moved > -step ? moved : -step);
        }
        azimuth = kept(s, azimuth);
        int64_t at = k; /* sorted */
        for (; at > 0 && out[at - 1] > azimuth; --at) out[at] = out[at - 1];
        out[at] = azimuth;
    }
}

#endif

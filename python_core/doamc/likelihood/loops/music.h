/* MUSIC at elevation 0: directions, their errors and powers from an eigendecomposition (see estimators/music.py and
 * estimators/subspace.py, which are the reference). */
#ifndef DOAMC_MUSIC_H
#define DOAMC_MUSIC_H

#include "quadratic.h"
#include "subspace.h"

/* What MUSIC finds of one observation. */
struct found { double *azimuth, *std, *power, *noise; }; /* (P), (P), (P), 1 */

/* Mean of the N - P smallest of ascending eigenvalues, as in snapshots/noise_level.py. */
INLINE double mean_of_smallest(int64_t n, int64_t p, const double *values)
{
    double low = 0, high = 0;
    for (int64_t k = 0; k < n; ++k) *(k < n - p ? &low : &high) += values[k];
    const double mean = low / (double)(n - p), least_power = 1e-12 * ((low + high) / (double)n);
    return mean > least_power ? mean : least_power;
}

/* Leaks (P) of signal eigenvectors into the noise: `eigenvector_noise` of estimators/subspace.py. */
INLINE void leaks_of(int64_t p, const double *values, double length, double noise, int known, double *leak)
{
    const double left = length - (double)p > 0.5 ? length - (double)p : 0.5;
    if (!known) noise *= length > (double)p ? length / left : NAN;
    for (int64_t k = 0; k < p; ++k) {
        const double rest = values[k] - noise, excess = rest < 1e-3 * noise ? 1e-3 * noise : rest;
        leak[k] = values[k] * noise / (length * excess * excess);
    }
}

/* Of the eigenvalues (N), ascending, and eigenvectors (N, N) of a covariance (N, N) of `length` snapshots; known: noise
 * power, NaN where it is not. To compute in: f (G), side (4 N, to whole vectors), place (P), work as `music_room` says. */
INLINE void music_of(
    const struct spectrum *s, int64_t p, const double *values, const number *vectors, const number *covariance,
    double length, double known, double *f, vec *side, int64_t *place, number *work, const struct found *out)
{
    const int64_t n = s->n, first = n - p, blocks = (n + LANES - 1) / LANES;
    number *m = work, *v = m + n * n, *rest = v + n * p;
    double *leak = (double *)(rest + p * n + 2 * p * p + p);
    for (int64_t i = 0; i < n; ++i) /* less the projector on the signal subspace */
        for (int64_t j = 0; j < n; ++j) {
            number x = {0, 0};
            for (int64_t k = first; k < n; ++k) x = plus(x, times_conjugate(vectors[i * n + k], vectors[j * n + k]));
            m[i * n + j] = (number){-x.re, -x.im};
        }
    minima_of(s, (const double *)m, p, f, side, place, out->azimuth);
    *out->noise = isnan(known) ? mean_of_smallest(n, p, values) : known;
    leaks_of(p, values + first, length, *out->noise, !isnan(known), leak);
    for (int64_t q = 0; q < p; ++q) {
        steer(s, out->azimuth[q], side);
        const double *tilt = (const double *)(side + blocks), *re = (const double *)(side + 2 * blocks);
        const double *im = (const double *)(side + 3 * blocks);
        double curvature = 0, spread = 0;
        for (int64_t i = 0; i < n; ++i) {
            v[i * p + q] = (number){re[i], im[i]};
            curvature += tilt[i] * tilt[i] * (re[i] * re[i] + im[i] * im[i]);
        }
        for (int64_t k = 0; k < p; ++k) {
            number a = {0, 0}, d = {0, 0};
            for (int64_t i = 0; i < n; ++i) {
                const number x = times_conjugate(v[i * p + q], vectors[i * n + first + k]);
                a = plus(a, x);
                d = plus(d, (number){tilt[i] * x.re, tilt[i] * x.im});
            }
            spread += leak[k] * square_of(a);
            curvature -= square_of(d);
        }
        out->std[q] = sqrt(spread / (2 * (curvature > 1e-300 ? curvature : 1e-300)));
    }
    powers_of(n, p, covariance, v, *out->noise, rest, out->power);
}

/* Numbers that `music_of` computes in. */
INLINE size_t music_room(int64_t n, int64_t p) { return (size_t)(n * n + 2 * n * p + 2 * p * p + 2 * p); }

#endif

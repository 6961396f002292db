/* How far a covariance is from what is reported of it: directions, one coupling, powers or any correlation of the sources
 * (see estimators/reported_fit.py). */
#ifndef DOAMC_REPORTED_H
#define DOAMC_REPORTED_H

#include "elementary.h"
#include "residual.h"

/* Whether C (N, N) is other than I. */
INLINE int couples(int64_t n, const number *c)
{
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j)
            if (c[i * n + j].re != (i == j) || c[i * n + j].im != 0) return 1;
    return 0;
}

/* V (N, P) = C A diag(power)^1/2 at elevation 0; zero for sources that are not there. wave (N, 2): 2 pi x and 2 pi y in
 * wavelengths. c: none where there is no coupling. power: none where it is 1. a (N): to compute in. */
INLINE void respond(
    int64_t n, int64_t p, const double *wave, const double *azimuth, const number *c, const double *power, number *a, number *v)
{
    for (int64_t k = 0; k < p; ++k) {
        const int there = isfinite(azimuth[k]) && (!power || power[k] > 0);
        const double gain = !there ? 0 : power ? sqrt(power[k]) : 1;
        const cvec turned = cis(all(there ? azimuth[k] : 0));
        const double x = turned.re[0], y = turned.im[0];
        for (int64_t i = 0; i < n; i += LANES) {
            const int64_t lanes = n - i < LANES ? n - i : LANES;
            vec phase = all(0);
            for (int64_t l = 0; l < lanes; ++l) phase[l] = wave[2 * (i + l)] * x + wave[2 * (i + l) + 1] * y;
            const cvec at = cis(phase);
            for (int64_t l = 0; l < lanes; ++l) a[i + l] = (number){gain * at.re[l], gain * at.im[l]};
        }
        for (int64_t i = 0; i < n; ++i) {
            number sum_of = c ? (number){0, 0} : a[i];
            for (int64_t j = 0; c && j < n; ++j) sum_of = plus(sum_of, times(c[i * n + j], a[j]));
            v[i * p + k] = sum_of;
        }
    }
}

#endif

/* What neighbours in time have in common, and whether it is more than chance (see snapshots/correlation.py). */
#ifndef DOAMC_NEIGHBOURS_H
#define DOAMC_NEIGHBOURS_H

#include "subspace.h"

enum { PIECE = 512 };  /* samples of every channel at once, so that they stay in the first cache */
enum { FEWEST = 16 };  /* snapshots, below which no correlation is told from chance, as in snapshots/correlation.py */

/* lag (N, N), the sum of y_i(t + 1) y_j(t)*, of samples y (N, L). re, im (N, PIECE + LANES): to compute in. */
INLINE void first_lag(int64_t n, int64_t length, const number *y, double *re, double *im, number *lag)
{
    const int64_t row = PIECE + LANES;
    memset(lag, 0, sizeof *lag * (size_t)(n * n));
    for (int64_t first = 0; first + 1 < length; first += PIECE) {
        const int64_t count = length - 1 - first < PIECE ? length - 1 - first : PIECE;
        for (int64_t i = 0; i < n; ++i)
            for (int64_t t = 0; t <= count; ++t) {
                re[i * row + t] = y[i * length + first + t].re;
                im[i * row + t] = y[i * length + first + t].im;
            }
        for (int64_t i = 0; i < n; ++i)
            for (int64_t j = 0; j < n; ++j) {
                const double *ar = re + i * row + 1, *ai = im + i * row + 1, *br = re + j * row, *bi = im + j * row;
                vec x = all(0), z = all(0);
                int64_t t = 0;
                for (; t + LANES <= count; t += LANES) {
                    const vec pr = load(ar + t, LANES), pi = load(ai + t, LANES), qr = load(br + t, LANES), qi = load(bi + t, LANES);
                    x += pr * qr + pi * qi;
                    z += pi * qr - pr * qi;
                }
                double real = sum(x), imaginary = sum(z);
                for (; t < count; ++t) {
                    real += ar[t] * br[t] + ai[t] * bi[t];
                    imaginary += ai[t] * br[t] - ar[t] * bi[t];
                }
                lag[i * n + j] = plus(lag[i * n + j], (number){real, imaginary});
            }
    }
}

/* Whether the first lag of any component or sum of components is more than chance (see `significant_lags` of
 * snapshots/correlation.py); chance: what is significant of one. rho (N): to compute in. */
INLINE int correlated_of(
    int64_t n, int64_t length, double chance, const number *lag, const double *values, const number *vectors, number *rho)
{
    const double least_value = 1e-30 * values[n - 1];
    for (int64_t k = 0; k < n; ++k) {
        number x = {0, 0};
        for (int64_t i = 0; i < n; ++i) {
            number seen = {0, 0};
            for (int64_t j = 0; j < n; ++j) seen = plus(seen, times(lag[i * n + j], vectors[j * n + k]));
            x = plus(x, times_conjugate(seen, vectors[i * n + k]));
        }
        const double by = (double)length * (values[k] > least_value ? values[k] : least_value);
        rho[k] = (number){x.re / by, x.im / by};
    }
    number together = {0, 0}, weighted = {0, 0};
    double own = 0, weight = 0;
    for (int64_t count = 1; count < n; ++count) { /* signals: the greatest so many */
        const number x = rho[n - count];
        together = plus(together, x);
        own += square_of(x);
        if (own / (double)count > chance * (1 + 2 / sqrt((double)count)) / 3) return 1;
        if (square_of(together) / (double)count > chance) return 1;
    }
    for (int64_t k = 0; k < n; ++k) { /* noise: the least so many, by their powers */
        const double power = values[k] > least_value ? values[k] : least_value;
        weighted = plus(weighted, (number){power * rho[k].re, power * rho[k].im});
        weight += power * power;
        if (square_of(weighted) / weight > chance) return 1;
    }
    return 0;
}

#endif

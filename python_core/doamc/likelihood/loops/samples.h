/* One look at the samples of an observation, for all who ask: impulses, mean, first lag, kurtosis. */
#ifndef DOAMC_SAMPLES_H
#define DOAMC_SAMPLES_H

#include "subspace.h"

enum { PIECE = 512 }; /* samples of every channel at once, so that they stay in the first cache */

/* Of samples y (N, L) complex: power (N, 3), sum, sum of squares and peak of |y|^2; sum (N) of y; lag (N, N), the sum of
 * y_i(t + 1) y_j(t)*. re, im (N, PIECE + LANES): to compute in. */
INLINE void look_at(
    int64_t n, int64_t length, const number *y, double *re, double *im, double *power, number *total, number *lag)
{
    const int64_t row = PIECE + LANES;
    memset(lag, 0, sizeof *lag * (size_t)(n * n));
    for (int64_t i = 0; i < n; ++i) {
        const number *at = y + i * length;
        double sum_of = 0, square = 0, peak = 0, sum_re = 0, sum_im = 0;
        vec s = all(0), q = all(0), a = all(0), b = all(0), most = all(0);
        int64_t t = 0;
        for (; t + LANES <= length; t += LANES) {
            vec x, z;
            for (int l = 0; l < LANES; ++l) {
                x[l] = at[t + l].re;
                z[l] = at[t + l].im;
            }
            const vec v = x * x + z * z;
            s += v;
            q += v * v;
            a += x;
            b += z;
            most = greatest(v, most);
        }
        for (; t < length; ++t) {
            const double v = at[t].re * at[t].re + at[t].im * at[t].im;
            sum_of += v;
            square += v * v;
            sum_re += at[t].re;
            sum_im += at[t].im;
            peak = v > peak ? v : peak;
        }
        for (int l = 0; l < LANES; ++l) peak = most[l] > peak ? most[l] : peak;
        power[3 * i] = sum_of + sum(s);
        power[3 * i + 1] = square + sum(q);
        power[3 * i + 2] = peak;
        total[i] = (number){sum_re + sum(a), sum_im + sum(b)};
    }
    for (int64_t first = 0; first + 1 < length; first += PIECE) {
        const int64_t count = length - 1 - first < PIECE ? length - 1 - first : PIECE;
        for (int64_t i = 0; i < n; ++i)
            for (int64_t t = 0; t < row; ++t) { /* zeros beyond the end */
                const number x = t <= count ? y[i * length + first + t] : (number){0, 0};
                re[i * row + t] = x.re;
                im[i * row + t] = x.im;
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

/* Number of snapshots that are not zero in all channels. */
INLINE double heard_of(int64_t n, int64_t length, const number *y)
{
    int64_t heard = 0;
    for (int64_t t = 0; t < length; ++t)
        for (int64_t i = 0; i < n; ++i)
            if (y[i * length + t].re != 0 || y[i * length + t].im != 0) {
                ++heard;
                break;
            }
    return (double)heard;
}

/* Whether every channel's lower median power of every step-th sample is at least its peak times `part`. */
INLINE int calm(int64_t n, int64_t length, int64_t step, double part, const number *y, const double *power)
{
    const int64_t some = (length + step - 1) / step;
    for (int64_t i = 0; i < n; ++i, y += length) {
        const double limit = part * power[3 * i + 2];
        int64_t low = 0;
        for (int64_t t = 0; t < length; t += step) low += y[t].re * y[t].re + y[t].im * y[t].im < limit;
        if (low > (some - 1) / 2) return 0;
    }
    return 1;
}

#endif

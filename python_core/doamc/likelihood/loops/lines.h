/* The line at 0 Hz that a converter's offset leaves, beside its neighbours. */
#ifndef DOAMC_LINES_H
#define DOAMC_LINES_H

#include "elementary.h"
#include "subspace.h"

enum { BESIDE = 8, PART = 128 };                /* lines either side; samples for which waves are computed at once */
enum { WAVES = 2 * BESIDE, BLOCKS = PART / LANES }; /* cosines and sines of so many lines, in vectors */

/* Whether snapshot t is zero in all channels. */
INLINE int silent(int64_t n, int64_t length, const number *y, int64_t t)
{
    for (int64_t i = 0; i < n; ++i)
        if (y[i * length + t].re != 0 || y[i * length + t].im != 0) return 0;
    return 1;
}

/* Have waves (2 BESIDE, BLOCKS) be cosines and sines of 2 pi k t / L, t from `first` on: of k > 1 by products. */
INLINE void waves_from(int64_t first, int64_t length, vec *waves)
{
    const double once = 6.283185307179586 / (double)length;
    for (int64_t m = 0; m < BLOCKS; ++m) {
        vec turn;
        for (int l = 0; l < LANES; ++l) turn[l] = once * (double)(first + m * LANES + l);
        const cvec one = cis(turn);
        cvec wave = one;
        for (int64_t k = 0; k < BESIDE; ++k) {
            waves[2 * k * BLOCKS + m] = wave.re;
            waves[(2 * k + 1) * BLOCKS + m] = wave.im;
            wave = mul(wave, one);
        }
    }
}

/* Power at 0 Hz over the mean of BESIDE lines either side, in the channel that is the lower median, of the snapshots of
 * y (N, L) that are not silent, `heard` of them; total (N): sums of y. Lines k and -k together have twice the squares of
 * the sums of re cos, re sin, im cos and im sin. To compute in: waves (2 BESIDE, BLOCKS), part (2 N, BLOCKS),
 * sums (4 BESIDE, N), ratio (N). */
INLINE double line_of(
    int64_t n, int64_t length, int64_t heard, const number *y, const number *total, vec *waves, vec *part, vec *sums,
    double *ratio)
{
    for (int64_t k = 0; k < 2 * WAVES * n; ++k) sums[k] = all(0);
    double *samples = (double *)part;
    for (int64_t first = 0, t = 0; first < heard; first += PART) {
        int64_t count = 0;
        for (; t < length && count < PART; ++t) {
            if (heard < length && silent(n, length, y, t)) continue;
            for (int64_t i = 0; i < n; ++i) {
                samples[2 * i * PART + count] = y[i * length + t].re;
                samples[(2 * i + 1) * PART + count] = y[i * length + t].im;
            }
            ++count;
        }
        for (int64_t i = 0; i < 2 * n; ++i)
            for (int64_t s = count; s < PART; ++s) samples[i * PART + s] = 0;
        waves_from(first, heard, waves);
        for (int64_t i = 0; i < 2 * n; ++i)
            for (int64_t k = 0; k < WAVES; ++k)
                for (int64_t m = 0; m < BLOCKS; ++m) sums[i * WAVES + k] += waves[k * BLOCKS + m] * part[i * BLOCKS + m];
    }
    for (int64_t i = 0; i < n; ++i) {
        double beside = 0;
        for (int64_t k = 0; k < 2 * WAVES; ++k) {
            const double x = sum(sums[2 * i * WAVES + k]);
            beside += x * x;
        }
        const double value = square_of(total[i]) * BESIDE / beside;
        int64_t place = i; /* sorted */
        for (; place > 0 && ratio[place - 1] > value; --place) ratio[place] = ratio[place - 1];
        ratio[place] = value;
    }
    return ratio[(n - 1) / 2];
}

#endif

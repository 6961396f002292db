/* The adaptive filter: spectral.py, of as many waveforms as there are lanes, whose gains are found one by one. */
#ifndef DOAMC_WAVEFORMS_SPECTRAL_H
#define DOAMC_WAVEFORMS_SPECTRAL_H

#include "convolution.h"

#define FILTERS 2    /* outputs */
#define WIDTH 16     /* channels between its layers */
#define REACH 9      /* bins that a layer sees */
#define SMOOTHINGS 3 /* widths over which the periodogram is smoothed */

/* Rows of bins, each after its margin. */
struct bins { float *in, *h, *more; };

/* The margins of rows of n bins, as on a circle. */
INLINE void close_circle(int64_t rows, int64_t n, float *row)
{
    for (; rows > 0; --rows, row += STRIDE)
        for (int64_t k = 0; k < REACH / 2; ++k) row[n + k] = row[k], row[k - REACH / 2] = row[n + k - REACH / 2];
}

/* Mean over a circle of n bins around each. */
INLINE void smooth(int64_t n, int64_t width, const float *from, float *to)
{
    double total = 0;
    for (int64_t k = -(width / 2); k <= width / 2; ++k) total += from[(k + 2 * n) % n];
    for (int64_t k = 0; k < n; ++k) {
        to[k] = (float)(total / (double)width);
        total += from[(k + 1 + width / 2) % n] - from[(k - width / 2 + 2 * n) % n];
    }
}

INLINE void rectify(int64_t n, float *row, const float *onto)
{
    for (int64_t k = 0; k < n; ++k) {
        const float x = row[k] > 0 ? row[k] : 0;
        row[k] = onto ? onto[k] + x : x;
    }
}

/* Gains (FILTERS, n) of a periodogram that lies in the first row of `in`, into the first rows of `h`. */
static void find_gains(int64_t time, int64_t n, float variance, const float *weights, const struct bins *b)
{
    const int64_t ends = (n + STEP - 1) / STEP * STEP;
    static const int64_t widths[SMOOTHINGS] = {3, 9, 33};
    for (int i = 0; i < SMOOTHINGS; ++i) smooth(n, widths[i], b->in, b->in + (i + 1) * STRIDE);
    for (int i = 0; i <= SMOOTHINGS; ++i)
        for (int64_t k = 0; k < n; k += LANES) put(b->in + i * STRIDE + k, log_of(at(b->in + i * STRIDE + k) + 1e-3f));
    for (int64_t k = 0; k < n; ++k) {
        b->in[(SMOOTHINGS + 1) * STRIDE + k] = 0.25f * logf(variance);
        b->in[(SMOOTHINGS + 2) * STRIDE + k] = 0.25f * logf((float)time / 64);
    }
    close_circle(SMOOTHINGS + 3, n, b->in);
    weights = convolve((struct taps){SMOOTHINGS + 3, WIDTH, REACH, 1}, ends, b->in, weights, b->h, 0);
    for (int i = 0; i < WIDTH; ++i) rectify(n, b->h + i * STRIDE, NULL);
    close_circle(WIDTH, n, b->h);
    weights = convolve((struct taps){WIDTH, WIDTH, REACH, 1}, ends, b->h, weights, b->more, 0);
    for (int i = 0; i < WIDTH; ++i) rectify(n, b->more + i * STRIDE, b->h + i * STRIDE);
    close_circle(WIDTH, n, b->more);
    convolve((struct taps){WIDTH, FILTERS, REACH, 1}, ends, b->more, weights, b->h, 0);
    for (int i = 0; i < FILTERS; ++i)
        for (int64_t k = 0; k < n; k += LANES) put(b->h + i * STRIDE + k, logistic(at(b->h + i * STRIDE + k)));
}

#endif

/* Spectral covariances: samples to sums over frames, without the spectrum being stored (see spectra.py). */
#ifndef DOAMC_BANDS_SPECTRA_H
#define DOAMC_BANDS_SPECTRA_H

#include "transform.h"

#define FINE 4 /* lines of a bin */

/* Samples (N, stride) complex of which `offset` (N) is taken out; frames of n_fft samples, `hop` = n_fft / 2 apart.
 * window (n_fft) complex; place (n_fft): where each line ends, in ascending frequency; order (F / 2): of the bins of the
 * lower half, so that what is read in turn lies side by side. */
struct band {
    int64_t channels, n_fft, stride, n_passes;
    const struct pass *passes;
    const float *samples, *offset, *window;
    const int32_t *place, *order;
};

/* Sums over frames, added to: covariance (F, N, N) complex, power (F, FINE, N), image (F / 2, N) complex: x(f) x(-f). */
struct sums {
    float *covariance, *power, *image;
};

INLINE int valid(const struct band *b)
{
    int64_t n = b->n_fft;
    if (b->channels < 1 || b->channels > 4096 || n < 2 * FINE || n > (1 << 20) || n % (2 * FINE)) return 0;
    for (const struct pass *p = b->passes; p < b->passes + b->n_passes; ++p) {
        if (p->n != n || (p->radix != 2 && p->radix != 3 && p->radix != 4 && p->radix != 5 && p->radix != 8)) return 0;
        if (n % p->radix) return 0;
        n /= p->radix;
    }
    for (int64_t k = 0; k < b->n_fft; ++k)
        if (b->place[k] < 0 || b->place[k] >= b->n_fft) return 0;
    for (int64_t k = 0; k < b->n_fft / FINE / 2; ++k)
        if (b->order[k] < 0 || b->order[k] >= b->n_fft / FINE / 2) return 0;
    return n == 1;
}

INLINE pairs some_of(const float *const *at, int64_t i)
{
    pairs out;
    for (int l = 0; l < LANES / 2; ++l) {
        double one;
        memcpy(&one, at[l] + 2 * i, sizeof one);
        out[l] = one;
    }
    return out;
}

/* Windowed frames first to first + count of a channel into x (n_fft). Half of a frame is the first half of the next. */
INLINE void load(const struct band *b, int64_t channel, int64_t first, int64_t count, cvec *x)
{
    const int64_t hop = b->n_fft / 2;
    const float *row = b->samples + 2 * (channel * b->stride + first * hop), *at[LANES + 1], *w = b->window;
    const vec re = all(b->offset[2 * channel]), im = all(b->offset[2 * channel + 1]);
    mask used;
    for (int l = 0; l <= LANES; ++l) at[l] = row + 2 * hop * (l < count ? l : count);
    for (int l = 0; l < LANES; ++l) used[l] = l < count ? -1 : 0;
    for (int64_t i = 0; i < hop; ++i, w += 2) {
        const vec a = (vec)some_of(at, i), c = (vec)some_of(at + LANES / 2, i);
        const cvec now = {SHUFFLE(a, c, EVEN), SHUFFLE(a, c, ODD)};
        const cvec then = {SHUFFLE(now.re, all(at[LANES][2 * i]), NEXT), SHUFFLE(now.im, all(at[LANES][2 * i + 1]), NEXT)};
        const cvec early = {(vec)((mask)(now.re - re) & used), (vec)((mask)(now.im - im) & used)};
        const cvec late = {(vec)((mask)(then.re - re) & used), (vec)((mask)(then.im - im) & used)};
        x[i] = times(early, w);
        x[i + hop] = times(late, w + 2 * hop);
    }
}

/* Powers and products of the lines z (N, FINE) of a bin. */
INLINE void add_bin(int64_t channels, const cvec *z, float *covariance, float *power)
{
    for (int64_t c = 0; c < channels; ++c, z += FINE) {
        for (int k = 0; k < FINE; ++k) {
            const float p = sum(z[k].re * z[k].re + z[k].im * z[k].im);
            power[k * channels + c] += p;
            covariance[2 * (c * channels + c)] += p;
        }
        for (int64_t d = c + 1; d < channels; ++d) {
            const cvec *y = z + (d - c) * FINE;
            vec re = all(0), im = all(0);
            for (int k = 0; k < FINE; ++k) {
                re += z[k].re * y[k].re + z[k].im * y[k].im;
                im += z[k].im * y[k].re - z[k].re * y[k].im;
            }
            const float real = sum(re), imaginary = sum(im);
            float *upper = covariance + 2 * (c * channels + d), *lower = covariance + 2 * (d * channels + c);
            upper[0] += real, upper[1] += imaginary;
            lower[0] += real, lower[1] -= imaginary;
        }
    }
}

/* Products of the lines of a bin with those of its mirror. */
INLINE void add_image(int64_t channels, const cvec *z, const cvec *mirror, float *image)
{
    for (int64_t c = 0; c < channels; ++c, z += FINE, mirror += FINE) {
        vec re = all(0), im = all(0);
        for (int k = 0; k < FINE; ++k) {
            const cvec y = mirror[FINE - 1 - k];
            re += z[k].re * y.re - z[k].im * y.im;
            im += z[k].re * y.im + z[k].im * y.re;
        }
        image[2 * c] += sum(re);
        image[2 * c + 1] += sum(im);
    }
}

/* Frames first to first + count, at most LANES. x (N, n_fft), z (2, N, FINE): room. */
INLINE void add_frames(const struct band *b, int64_t first, int64_t count, cvec *x, cvec *z, const struct sums *out)
{
    const int64_t n = b->channels, bins = b->n_fft / FINE;
    for (int64_t c = 0; c < n; ++c) {
        load(b, c, first, count, x + c * b->n_fft);
        transform(x + c * b->n_fft, b->passes, b->passes + b->n_passes);
    }
    for (int64_t i = 0; i < bins / 2; ++i) {
        const int64_t k = b->order[i], both[2] = {k, bins - 1 - k};
        for (int side = 0; side < 2; ++side) {
            const int64_t bin = both[side], later = b->order[i + 1 < bins / 2 ? i + 1 : i];
            const int32_t *ahead = b->place + (side ? bins - 1 - later : later) * FINE;
            const int32_t *place = b->place + bin * FINE;
            cvec *own = z + side * n * FINE;
            for (int64_t c = 0; c < n; ++c)
                for (int line = 0; line < FINE; ++line) {
                    const cvec *next = x + c * b->n_fft + ahead[line];
                    __builtin_prefetch(&next->re);
                    __builtin_prefetch(&next->im);
                    own[c * FINE + line] = x[c * b->n_fft + place[line]];
                }
            add_bin(n, own, out->covariance + 2 * bin * n * n, out->power + bin * FINE * n);
        }
        add_image(n, z, z + n * FINE, out->image + 2 * k * n);
    }
}

#endif

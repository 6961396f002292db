/* The score network over waveforms after its look: net.py, for one waveform at a time, in single precision. */
#ifndef DOAMC_WAVEFORMS_NET_H
#define DOAMC_WAVEFORMS_NET_H

#include "block.h"

/* Sum of the streams by their gains, (T) complex, and the logarithm of the variance (T). */
INLINE void mix(const struct net *n, int64_t time, const struct room *r, float *f, float *log_variance)
{
    const int64_t every = n->streams + CANDIDATES;
    for (int64_t t = 0; t < time; t += LANES) {
        vec re = all(0), im = all(0);
        for (int64_t i = 0; i < every; ++i) {
            const int own = i < n->streams;
            const float *z = own ? r->z + i * STRIDE : r->candidates + (i - n->streams) * STRIDE;
            const vec c = at(z + t), d = at(z + (own ? n->streams : CANDIDATES) * STRIDE + t);
            const vec a = at(r->out + i * STRIDE + t), b = at(r->out + (every + i) * STRIDE + t);
            re += a * c - b * d;
            im += a * d + b * c;
        }
        const vec level = 1.0f - 9.0f * logistic(at(r->out + 2 * every * STRIDE + t) - 1.5f);
        for (int l = 0; l < LANES && t + l < time; ++l)
            f[2 * (t + l)] = re[l], f[2 * (t + l) + 1] = im[l], log_variance[t + l] = level[l];
    }
}

/* Weights of the filter, which stand first. */
#define FILTER_WEIGHTS \
    (WIDTH * (1 + REACH * (SMOOTHINGS + 3)) + WIDTH * (1 + REACH * WIDTH) + TILE * (1 + REACH * WIDTH))

/* One waveform of `time` samples, whose look lies in the rooms of channels, candidates and reference. */
INLINE void run_net(const struct net *n, const float *weights, int64_t time, const float *scalars, const struct room *r,
                    float *f, float *log_variance)
{
    const int64_t width = n->width, ends = (time + STEP - 1) / STEP * STEP;
    float fixed[MOST_CONTEXT], inner[MOST_CONTEXT];
    weights = convolve((struct taps){FEATURES, width, 1, 1}, ends, r->seen, weights, r->h, 0);
    weights = convolve((struct taps){2 * CANDIDATES, 2 * n->streams, 1, 1}, ends, r->candidates, weights, r->z, 0);
    weights = linear(SCALARS, n->context, scalars, weights, inner);
    for (int64_t i = 0; i < n->context; ++i) inner[i] /= 1 + expf(-inner[i]);
    weights = linear(n->context, n->context, inner, weights, fixed);
    for (int64_t b = 0; b < n->blocks; ++b) weights = run_block(n, n->dilations[b], time, ends, r, weights, fixed);
    find_level(width, ends, r->h, r->level);
    for (int64_t c = 0; c < width; ++c)
        for (int64_t t = 0; t < ends; t += LANES)
            put(r->u + c * STRIDE + t, silu(at(r->h + c * STRIDE + t) * at(r->level + t) * weights[c]));
    const int64_t gains = 2 * (n->streams + CANDIDATES) + 1;
    convolve((struct taps){width, gains, 1, 1}, ends, r->u, weights + width, r->out, 0);
    mix(n, time, r, f, log_variance);
}

#endif

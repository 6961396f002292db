/* A block of the score network (net.py) for one waveform, and the room that all of the network needs.
 *
 * Weights stand one after the other in the order in which they are read (compiled_net.py).
 */
#ifndef DOAMC_WAVEFORMS_BLOCK_H
#define DOAMC_WAVEFORMS_BLOCK_H

#include "look.h"

#define MOST_CONTEXT 512 /* entries of vectors that see no time */

struct net {
    int64_t width, streams, context, blocks;
    const int64_t *dilations; /* (blocks) */
    const float *circle;      /* (MOST_BINS) complex, e(-k / MOST_BINS) */
    const float *weights;
};

/* Rows of one waveform, each after its margin, and what looks at up to LANES of them need. */
struct room {
    float *seen, *candidates, *z, *moved, *h, *u, *gates, *out, *reference, *level;
    struct bins bins;
    struct bench bench;
    struct glimpse *glimpses;
};

INLINE int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Bytes of room; where there is some, places it. */
INLINE int64_t lay_out(const struct net *n, char *block, struct room *r)
{
    const int64_t gains = 2 * (n->streams + CANDIDATES) + 1, change = n->width + 2 * n->streams;
    const int64_t rows[] = {larger(FEATURES, 3 * n->streams), 2 * CANDIDATES, tiled(2 * n->streams),
                            tiled(2 * n->streams), tiled(n->width), n->width, tiled(2 * n->width),
                            larger(tiled(gains), tiled(change)), 2, 1, SMOOTHINGS + 3, WIDTH, WIDTH};
    float **place[] = {&r->seen, &r->candidates, &r->z, &r->moved, &r->h, &r->u, &r->gates, &r->out, &r->reference,
                       &r->level, &r->bins.in, &r->bins.h, &r->bins.more};
    cvec **buffer[] = {&r->bench.x, &r->bench.y, &r->bench.z, &r->bench.q};
    int64_t total = (int64_t)(sizeof(cvec) - (uintptr_t)block % sizeof(cvec)); /* vectors lie where they may */
    for (int i = 0; i < 4; ++i, total += MOST_BINS * (int64_t)sizeof(cvec))
        if (block) *buffer[i] = (cvec *)(block + total);
    if (block) r->bench.ratio = (vec *)(block + total);
    total += MOST_BINS * (int64_t)sizeof(vec);
    if (block) r->glimpses = (struct glimpse *)(block + total);
    total += LANES * (int64_t)sizeof(struct glimpse);
    for (int i = 0; i < 13; total += rows[i++] * STRIDE * (int64_t)sizeof(float))
        if (block) *place[i] = (float *)(block + total) + MARGIN;
    return total + (int64_t)sizeof(cvec);
}

/* 1 over the root mean square over channels, at each time, into `level`. */
INLINE void find_level(int64_t channels, int64_t time, const float *h, float *level)
{
    for (int64_t t = 0; t < time; t += LANES) {
        vec power = all(0);
        for (int64_t c = 0; c < channels; ++c) power += at(h + c * STRIDE + t) * at(h + c * STRIDE + t);
        put(level + t, 1.0f / root_of(power / (float)channels + 1e-6f));
    }
}

/* Context of a block, (context): `fixed` and the mean over time of the channels at their level. Returns weights' end. */
INLINE const float *find_context(const struct net *n, int64_t time, const struct room *r, const float *gain,
                                 const float *weights, const float *fixed, float *context)
{
    float mean[MOST_CONTEXT];
    for (int64_t c = 0; c < n->width; ++c) {
        float total = 0;
        for (int64_t t = 0; t < time; ++t) total += r->h[c * STRIDE + t] * r->level[t];
        mean[c] = total * gain[c] / (float)time;
    }
    weights = linear(n->width, n->context, mean, weights, context);
    for (int64_t i = 0; i < n->context; ++i) {
        const float x = fixed[i] + context[i];
        context[i] = x / (1 + expf(-x));
    }
    return weights;
}

/* What no turn of phase changes of the streams that were moved, (3 streams): seen from the reference, and sizes. */
INLINE void look_at_moved(const struct net *n, int64_t time, const struct room *r)
{
    const int64_t imaginary = n->streams * STRIDE;
    for (int64_t i = 0; i < n->streams; ++i) {
        const float *m = r->moved + i * STRIDE;
        float *to = r->seen + i * STRIDE;
        for (int64_t t = 0; t < time; t += LANES) {
            const vec a = at(m + t), b = at(m + imaginary + t), c = at(r->reference + t), d = at(r->reference + STRIDE + t);
            put(to + t, a * c - b * d);
            put(to + imaginary + t, a * d + b * c);
            put(to + 2 * imaginary + t, root_of(a * a + b * b + 1e-6f));
        }
    }
}

/* z + moved + moved * turn, kept below 8. */
INLINE void turn_streams(const struct net *n, int64_t time, const struct room *r)
{
    const int64_t imaginary = n->streams * STRIDE;
    const float *turns = r->out + n->width * STRIDE;
    for (int64_t i = 0; i < n->streams; ++i)
        for (int64_t t = 0; t < time; t += LANES) {
            const int64_t k = i * STRIDE + t;
            const vec a = at(r->moved + k), b = at(r->moved + imaginary + k);
            const vec c = at(turns + k) + 1.0f, d = at(turns + imaginary + k);
            const vec re = at(r->z + k) + (a * c - b * d), im = at(r->z + imaginary + k) + (a * d + b * c);
            const vec scale = 1.0f / root_of(1.0f + (re * re + im * im) / 64.0f);
            put(r->z + k, re * scale);
            put(r->z + imaginary + k, im * scale);
        }
}

/* One block; time: samples, ends: these in whole tiles. Returns weights' end. */
INLINE const float *run_block(const struct net *n, int64_t dilation, int64_t time, int64_t ends, const struct room *r,
                              const float *weights, const float *fixed)
{
    const int64_t width = n->width, streams = 2 * n->streams;
    const float *pool_gain = weights, *own_gain = pool_gain + width;
    float context[MOST_CONTEXT], film[2 * MOST_CONTEXT];
    find_level(width, ends, r->h, r->level);
    weights = find_context(n, time, r, pool_gain, own_gain + width, fixed, context);
    weights = linear(n->context, 2 * width, context, weights, film);
    silence(r->z, streams, time);
    weights = convolve((struct taps){streams, streams, 5, dilation}, ends, r->z, weights, r->moved, 0);
    look_at_moved(n, ends, r);
    weights = convolve((struct taps){3 * n->streams, 2 * width, 1, 1}, ends, r->seen, weights, r->gates, 0);
    for (int64_t c = 0; c < width; ++c)
        for (int64_t t = 0; t < ends; t += LANES) {
            const vec h = at(r->h + c * STRIDE + t) * at(r->level + t) * own_gain[c];
            put(r->u + c * STRIDE + t, h * (1.0f + film[c]) + film[width + c]);
        }
    silence(r->u, width, time);
    weights = convolve((struct taps){width, 2 * width, 3, dilation}, ends, r->u, weights, r->gates, 1);
    for (int64_t c = 0; c < width; ++c)
        for (int64_t t = 0; t < ends; t += LANES) {
            const float *a = r->gates + c * STRIDE + t;
            put(r->u + c * STRIDE + t, silu(at(a)) * at(a + width * STRIDE));
        }
    weights = convolve((struct taps){width, width + streams, 1, 1}, ends, r->u, weights, r->out, 0);
    for (int64_t c = 0; c < width; ++c)
        for (int64_t t = 0; t < ends; t += LANES) {
            float *h = r->h + c * STRIDE + t;
            put(h, at(h) + at(r->out + c * STRIDE + t));
        }
    turn_streams(n, ends, r);
    return weights;
}

#endif

/* What the score network is shown of a waveform: the second half of look.py. */
#ifndef DOAMC_WAVEFORMS_LOOK_H
#define DOAMC_WAVEFORMS_LOOK_H

#include "glimpse.h"

/* Where a look is written: rows of channels, of candidates and of reference phases. */
struct shown { float *seen, *candidates, *reference; };

/* Means weighted by evidence over the window, the Wiener filter among them. */
INLINE void agree(struct glimpse *g, int64_t time)
{
    float share[COUNT + 2] = {0}, most = 0, total = 0;
    for (int i = 0; i <= COUNT; ++i) {
        double sum_of = 0;
        for (int64_t t = 0; t < time; ++t) sum_of += g->evidence[i][t];
        share[i] = (float)sum_of - PENALTY;
        most = share[i] > most ? share[i] : most;
    }
    for (int i = 0; i <= COUNT + 1; ++i) total += share[i] = expf(share[i] - most);
    for (int64_t t = 0; t < time; t += LANES) {
        cvec mean = scale(all(share[COUNT + 1] / total / (1 + g->variance)), sample((const float (*)[MOST_TIME])g->x, t));
        for (int i = 0; i <= COUNT; ++i)
            mean = add(mean, scale(all(share[i] / total), sample((const float (*)[MOST_TIME])g->mean[i], t)));
        keep(g->mean[AGREED], t, mean);
    }
}

/* Candidates, in units of what the Wiener filter leaves, seen from its mean, and x itself, at unit power; and |x|. */
INLINE void show_candidates(const struct glimpse *g, int64_t time, const struct shown *to)
{
    const float skip = 1 / (1 + g->variance), root = sqrtf(skip), unit_of = 1 / (g->sigma * root);
    float *size = to->seen + (2 * CANDIDATES + OPINIONS) * STRIDE;
    for (int64_t t = 0; t < time; t += LANES) {
        const cvec x = sample((const float (*)[MOST_TIME])g->x, t), base = scale(all(skip), x), own = scale(all(root), x);
        const vec c = at(to->reference + t), d = at(to->reference + STRIDE + t);
        put(size + t, root_of(power_of(own)));
        for (int i = 0; i < CANDIDATES; ++i) {
            cvec z = own;
            if (i < MEANS) {
                z = scale(all(unit_of), sub(sample((const float (*)[MOST_TIME])g->mean[i], t), base));
                z = scale(1.0f / root_of(1.0f + power_of(z) / 16.0f), z);
            }
            put(to->candidates + i * STRIDE + t, z.re);
            put(to->candidates + (CANDIDATES + i) * STRIDE + t, z.im);
            put(to->seen + i * STRIDE + t, z.re * c - z.im * d);
            put(to->seen + (CANDIDATES + i) * STRIDE + t, z.re * d + z.im * c);
        }
    }
}

/* How the phase steps from sample to sample, over one and two of them, and the clock. */
INLINE void show_steps(const struct glimpse *g, int64_t time, float *to)
{
    const float (*clean)[MOST_TIME] = (const float (*)[MOST_TIME])g->mean[FILTERED];
    const float ticks = 1 / (g->mean_energy < 1e-6f ? 1e-6f : g->mean_energy);
    for (int64_t k = 1; k <= 2; ++k) {
        float *re = to + (k - 1) * STRIDE, *im = re + 3 * STRIDE;
        for (int64_t t = 0; t < time; ++t) {
            const float a = clean[0][t], b = clean[1][t], c = t < k ? 0 : clean[0][t - k], d = t < k ? 0 : clean[1][t - k];
            const float x = a * c + b * d, y = b * c - a * d, size = 1 / sqrtf(x * x + y * y + 1e-12f);
            re[t] = size * x, im[t] = size * y;
        }
    }
    for (int64_t t = 0; t < time; ++t)
        to[2 * STRIDE + t] = ticks * g->line[CLOCK][0][t], to[5 * STRIDE + t] = ticks * g->line[CLOCK][1][t];
}

/* What has no time, (SCALARS). */
INLINE void tell(const struct glimpse *g, int64_t time, float *to)
{
    const float (*clock)[MOST_TIME] = g->line[CLOCK];
    float re = 0, im = 0;
    for (int64_t t = 1; t < time; ++t) {
        re += clock[0][t] * clock[0][t - 1] + clock[1][t] * clock[1][t - 1];
        im += clock[1][t] * clock[0][t - 1] - clock[0][t] * clock[1][t - 1];
    }
    const float size = 1 / sqrtf(re * re + im * im + 1e-12f);
    const float first[] = {0.5f * logf(g->sigma), logf((float)time / 64), g->level - 1, 0.25f * logf(g->passed), size * re,
                           size * im};
    memcpy(to, first, sizeof first);
    for (int i = 0; i < OPINIONS; ++i) {
        double total = 0;
        for (int64_t t = 0; t < time; ++t) {
            const float e = g->evidence[i][t];
            total += e < -8 ? -8 : e > 8 ? 8 : e;
        }
        to[6 + i] = 0.5f * asinhf((float)total);
    }
    for (int i = 0; i < LINES; ++i) to[6 + OPINIONS + i] = 0.25f * asinhf((float)time * g->strength[i]);
}

/* The look at one waveform whose lines are there. */
static void show(struct glimpse *g, int64_t time, const struct shown *to, float *scalars)
{
    const float (*clean)[MOST_TIME] = (const float (*)[MOST_TIME])g->mean[FILTERED];
    agree(g, time);
    memcpy(g->mean[ITS_TONE], g->line[TONE], sizeof g->line[TONE]);
    for (int64_t t = 0; t < time; t += LANES) {
        const cvec value = sample(clean, t);
        const vec power = at(g->energy + t), size = 1.0f / root_of(power + 0.01f);
        put(to->reference + t, size * value.re);
        put(to->reference + STRIDE + t, -(size * value.im));
        for (int i = 0; i < OPINIONS; ++i)
            put(to->seen + (2 * CANDIDATES + i) * STRIDE + t, asinh_of(at(g->evidence[i] + t)));
        put(to->seen + (2 * CANDIDATES + OPINIONS + 1) * STRIDE + t, root_of(power));
    }
    show_candidates(g, time, to);
    show_steps(g, time, to->seen + (2 * CANDIDATES + OPINIONS + 2) * STRIDE);
    tell(g, time, scalars);
}

#endif

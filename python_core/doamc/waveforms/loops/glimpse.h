/* What is made of up to LANES waveforms before the score network is shown them: the first half of look.py. */
#ifndef DOAMC_WAVEFORMS_GLIMPSE_H
#define DOAMC_WAVEFORMS_GLIMPSE_H

#include "experts.h"
#include "spectral.h"

#define OPINIONS (2 * COUNT + 1)
#define CANDIDATES (OPINIONS + 5)
#define FEATURES (2 * CANDIDATES + OPINIONS + 2 + 4 + 2)
#define LINES 9 /* that do not wait for an opinion */
#define SCALARS (6 + OPINIONS + LINES)

/* Places of the lines: of powers of x, of its corners, of powers of x through the filter, of x, and of the clock. */
enum { OF_X, CORNERS = KEYINGS, OF_CLEAN, TONE = 2 * KEYINGS + 1, CLOCK };
/* Places of means: opinions on x, 16-QAM last, and on x through the filter; what those on x agree on; tone; filters. */
enum { SQUARE = COUNT, ON_CLEAN, AGREED = OPINIONS, ITS_TONE, FILTERED, MEANS = FILTERED + FILTERS };

struct glimpse {
    wave x, q[LINES + 1], line[LINES + 1], mean[MEANS];
    float energy[MOST_TIME], evidence[OPINIONS][MOST_TIME], strength[LINES + 1];
    float sigma, variance, level, passed, mean_energy, square;
};

/* The waveform (T) complex, its noise, and its amplitude: its power is 1 to within 0.5 dB before x is seen. */
INLINE void begin(struct glimpse *g, int64_t time, const float *x, float sigma)
{
    const float prior = 0.115f * 0.115f, variance = sigma * sigma;
    const float doubt = (2 * variance + variance * variance) / (float)time;
    double power = 0;
    for (int64_t t = 0; t < time; ++t) {
        g->x[0][t] = x[2 * t], g->x[1][t] = x[2 * t + 1];
        power += x[2 * t] * x[2 * t] + x[2 * t + 1] * x[2 * t + 1];
    }
    const float level = 1 + prior / (prior + doubt) * ((float)(power / (double)time) - variance - 1);
    g->sigma = sigma, g->variance = variance, g->level = sqrtf(level < 0.25f ? 0.25f : level);
}

/* x through the filters. */
static void filter(const float *circle, const float *weights, int64_t time, int64_t rows, struct glimpse *g,
                   const struct bins *bins, const struct bench *b)
{
    const int64_t n = 2 * power_of_two(time < 16 ? 16 : time);
    struct line of[LANES];
    for (int64_t i = 0; i < rows; ++i) of[i].q = (const float (*)[MOST_TIME])g[i].x;
    gather(time, n, rows, of, b->x);
    const cvec *s = transform(n, b->x, b->y, circle);
    cvec *to = s == b->x ? b->y : b->x;
    for (int64_t i = 0; i < rows; ++i) {
        const float size = 1 / ((float)time * (1 + g[i].variance));
        double passed = 0;
        for (int64_t k = 0; k < n; ++k) bins->in[k] = (s[k].re[i] * s[k].re[i] + s[k].im[i] * s[k].im[i]) * size;
        find_gains(time, n, g[i].variance, weights, bins);
        for (int64_t k = 0; k < n; ++k) passed += bins->h[k] * bins->h[k];
        for (int o = 0; o < FILTERS; ++o)
            for (int64_t k = 0; k < n; ++k) b->ratio[o * n + k][i] = bins->h[o * STRIDE + k];
        g[i].passed = (float)(passed / (double)n);
    }
    for (int o = 0; o < FILTERS; ++o) {
        const vec *gain = b->ratio + o * n;
        for (int64_t k = 0; k < n; ++k) to[k] = (cvec){gain[k] * s[k].im, gain[k] * s[k].re}; /* the transform back */
        const cvec *back = transform(n, to, b->z, circle);
        for (int64_t i = 0; i < rows; ++i)
            for (int64_t t = 0; t < time; ++t) {
                g[i].mean[FILTERED + o][0][t] = back[t].im[i] / (float)n;
                g[i].mean[FILTERED + o][1][t] = back[t].re[i] / (float)n;
            }
    }
}

/* |x|^2 e^{j m arg x}, m of 2, 4, 8. */
INLINE void powers(int64_t time, const float (*x)[MOST_TIME], wave *q)
{
    for (int64_t t = 0; t < time; t += LANES) {
        const cvec value = sample(x, t);
        cvec phase = unit(value);
        for (int i = 0; i < KEYINGS; ++i) {
            phase = mul(phase, phase);
            keep(q[i], t, scale(power_of(value), phase));
        }
    }
}

/* What lines are looked for in. */
INLINE void prepare(struct glimpse *g, int64_t time)
{
    const float (*clean)[MOST_TIME] = (const float (*)[MOST_TIME])g->mean[FILTERED];
    double total = 0;
    powers(time, (const float (*)[MOST_TIME])g->x, g->q + OF_X);
    powers(time, clean, g->q + OF_CLEAN);
    for (int64_t t = 0; t < time; t += LANES) {
        const vec power = power_of(sample((const float (*)[MOST_TIME])g->x, t));
        keep(g->q[CORNERS], t, scale(power * power, sample((const float (*)[MOST_TIME])g->q[OF_X + 1], t)));
        put(g->energy + t, power_of(sample(clean, t)));
    }
    memcpy(g->q[TONE], g->x, sizeof g->x);
    for (int64_t t = 0; t < time; ++t) total += g->energy[t];
    g->mean_energy = (float)(total / (double)time);
    for (int64_t t = 0; t < time; ++t) g->q[CLOCK][0][t] = g->energy[t] - g->mean_energy, g->q[CLOCK][1][t] = 0;
}

INLINE struct line line_of(struct glimpse *g, int i)
{
    return (struct line){(const float (*)[MOST_TIME])g->q[i], g->line[i], g->strength + i, i == CLOCK};
}

/* All of it; circle: as in fourier.h, weights: those of the filter. */
static void glimpse_at(const float *circle, const float *weights, int64_t time, int64_t rows, struct glimpse *g,
                 const struct bins *bins, const struct bench *b)
{
    struct line of[LINES * LANES];
    filter(circle, weights, time, rows, g, bins, b);
    for (int64_t i = 0; i < rows; ++i) {
        prepare(g + i, time);
        for (int k = 0; k < LINES; ++k) of[i * LINES + k] = line_of(g + i, k);
    }
    find_lines(circle, time, rows * LINES, of, b);
    for (int64_t i = 0; i < rows; ++i) {
        struct glimpse *own = g + i;
        const struct heard x = {(const float (*)[MOST_TIME])own->x, own->level, own->variance};
        const float passed = own->passed < 1e-3f ? 1e-3f : own->passed;
        const struct heard clean = {(const float (*)[MOST_TIME])own->mean[FILTERED], own->level, own->variance * passed};
        opinions(&x, time, (const wave *)own->line + OF_X, own->mean, own->evidence);
        opinions(&clean, time, (const wave *)own->line + OF_CLEAN, own->mean + ON_CLEAN, own->evidence + ON_CLEAN);
        own->square = tone_of_square(&x, time, (const float (*)[MOST_TIME])own->line[CORNERS], own->q[LINES]);
        of[i] = line_of(own, LINES);
    }
    find_lines(circle, time, rows, of, b);
    for (int64_t i = 0; i < rows; ++i) {
        struct glimpse *own = g + i;
        const struct heard x = {(const float (*)[MOST_TIME])own->x, own->level, own->variance};
        adapted(&x, time, (const float (*)[MOST_TIME])own->line[CORNERS], (const float (*)[MOST_TIME])own->line[LINES],
                own->square, own->mean[SQUARE], own->evidence[SQUARE]);
    }
}

#endif

/* What the score network is shown: look.py, for up to LANES waveforms. */
#ifndef DOAMC_WAVEFORMS_LOOK_H
#define DOAMC_WAVEFORMS_LOOK_H

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

/* Where a look is written: rows of channels, of candidates and of reference phases. */
struct shown { float *seen, *candidates, *reference; };

/* The waveform (T) complex, its noise, and its amplitude: its power is 1 to within 0.5 dB before x is seen. */
INLINE void begin(struct glimpse *g, int64_t time, const float *x, float sigma)
{
    const float prior = 0.115f * 0.115f, variance = sigma * sigma, doubt = (2 * variance + variance * variance) / (float)time;
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

/* All that is made of waveforms before they are shown; circle: as in fourier.h, weights: those of the filter. */
static void look(const float *circle, const float *weights, int64_t time, int64_t rows, struct glimpse *g,
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

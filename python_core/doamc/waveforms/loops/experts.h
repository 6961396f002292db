/* Posterior means in closed form and log evidence, sample by sample: experts.py, for one waveform. */
#ifndef DOAMC_WAVEFORMS_EXPERTS_H
#define DOAMC_WAVEFORMS_EXPERTS_H

#include "lines.h"

#define KEYINGS 3           /* phase shift keyings, of 2, 4 and 8 points */
#define COUNT (KEYINGS + 1) /* experts but for that of 16-QAM */
#define MOST_POINTS 16
#define PENALTY 6.0f

/* Of x what all experts need: its samples, the amplitude of the waveform and the variance of the noise. */
struct heard { const float (*x)[MOST_TIME]; float level, variance; };

INLINE cvec sample(const float (*x)[MOST_TIME], int64_t t) { return (cvec){at(x[0] + t), at(x[1] + t)}; }

INLINE void keep(float (*x)[MOST_TIME], int64_t t, cvec value)
{
    put(x[0] + t, value.re);
    put(x[1] + t, value.im);
}

/* Log density of s ~ CN(0, level^2), against which the evidence counts. */
INLINE vec gaussian(const struct heard *h, vec energy)
{
    const float power = h->level * h->level;
    return -energy / (power + h->variance) - log1pf(power / h->variance);
}

/* An m-th root of the phase of a line, m a power of two. */
INLINE cvec root_of_phase(cvec a, int64_t m)
{
    const vec size = root_of(power_of(a));
    const mask none = size < 1e-18f;
    cvec out = {select(none, all(1), a.re / size), select(none, all(0), a.im / size)};
    for (; m > 1; m /= 2) out = half_turn(out);
    return out;
}

/* Mean of s under an alphabet of so many points (re, im) that a phasor turns; mean of |s|^2 and log evidence. */
INLINE cvec under(const struct heard *h, cvec x, int64_t count, const float *points, float level, cvec phasor, vec *size,
                  vec *evidence)
{
    const cvec u = mul_conj(x, phasor);
    const vec energy = power_of(x);
    vec logit[MOST_POINTS], most = all(-INFINITY), total = all(0);
    cvec mean = {all(0), all(0)};
    for (int64_t k = 0; k < count; ++k) {
        const float re = level * points[2 * k], im = level * points[2 * k + 1];
        logit[k] = (2.0f * (u.re * re + u.im * im) - (re * re + im * im)) / h->variance;
        most = greatest(most, logit[k]);
    }
    *size = all(0);
    for (int64_t k = 0; k < count; ++k) {
        const float re = level * points[2 * k], im = level * points[2 * k + 1];
        const vec share = exp_of(logit[k] - most);
        total += share;
        mean = add(mean, (cvec){share * re, share * im});
        *size += share * (re * re + im * im);
    }
    *size /= total;
    *evidence = most + log_of(total) - logf((float)count) - energy / h->variance - gaussian(h, energy);
    return mul(scale(1.0f / total, mean), phasor);
}

/* Points of 2, 4 or 8 phases, from 1 on. */
INLINE void phases(int64_t m, float *points)
{
    static const float half = 0.70710678f, circle[] = {1, half, 0, -half, -1, -half, 0, half};
    for (int64_t k = 0; k < m; ++k) points[2 * k] = circle[8 / m * k], points[2 * k + 1] = circle[(8 / m * k + 6) % 8];
}

INLINE void square(float *points)
{
    for (int k = 0; k < 16; ++k) {
        points[2 * k] = 0.31622777f * (float)(2 * (k / 4) - 3);
        points[2 * k + 1] = 0.31622777f * (float)(2 * (k % 4) - 3);
    }
}

/* Means and evidence of the phase shift keyings and of constant modulus; lines: of the powers of x, KEYINGS of them. */
static void opinions(const struct heard *h, int64_t time, const wave *lines, wave *means, float (*evidence)[MOST_TIME])
{
    float points[2 * MOST_POINTS];
    for (int i = 0; i < KEYINGS; ++i) {
        phases(2 << i, points);
        for (int64_t t = 0; t < time; t += LANES) {
            vec size, own;
            const cvec phasor = root_of_phase(sample(lines[i], t), 2 << i);
            keep(means[i], t, under(h, sample(h->x, t), 2 << i, points, h->level, phasor, &size, &own));
            put(evidence[i] + t, own);
        }
    }
    for (int64_t t = 0; t < time; t += LANES) {
        const cvec x = sample(h->x, t);
        const vec energy = power_of(x), z = 2.0f * h->level * root_of(greatest(energy, all(1e-12f))) / h->variance;
        vec ratio;
        const vec flat = bessel(z, &ratio);
        keep(means[KEYINGS], t, scale(h->level * ratio, unit(x)));
        put(evidence[KEYINGS] + t, flat - (h->level * h->level + energy) / h->variance - gaussian(h, energy));
    }
}

/* x times the conjugate of what 16-QAM with those corners (a line) makes of it; returns the mean of |s|^2. */
static float tone_of_square(const struct heard *h, int64_t time, const float (*corners)[MOST_TIME], float (*tone)[MOST_TIME])
{
    float points[2 * MOST_POINTS], sizes[MOST_TIME], total = 0;
    square(points);
    for (int64_t t = 0; t < time; t += LANES) {
        vec size, own;
        const cvec x = sample(h->x, t), corner = sample(corners, t);
        const cvec phasor = root_of_phase((cvec){-corner.re, -corner.im}, 4);
        keep(tone, t, mul_conj(x, under(h, x, 16, points, h->level, phasor, &size, &own)));
        put(sizes + t, size);
    }
    for (int64_t t = 0; t < time; ++t) total += sizes[t];
    return total / (float)time;
}

/* Opinion for 16-QAM whose level and phase the line in that tone has adapted. */
static void adapted(const struct heard *h, int64_t time, const float (*corners)[MOST_TIME], const float (*line)[MOST_TIME],
                    float size, float (*mean)[MOST_TIME], float *evidence)
{
    float points[2 * MOST_POINTS], gain = 0;
    square(points);
    for (int64_t t = 0; t < time; ++t) gain += sqrtf(line[0][t] * line[0][t] + line[1][t] * line[1][t]);
    gain /= (float)time * (size < 1e-6f ? 1e-6f : size);
    gain = gain < 0.9f ? 0.9f : gain > 1.1f ? 1.1f : gain;
    for (int64_t t = 0; t < time; t += LANES) {
        vec sizes, own;
        const cvec corner = sample(corners, t);
        const cvec phasor = mul(root_of_phase((cvec){-corner.re, -corner.im}, 4), unit(sample(line, t)));
        keep(mean, t, under(h, sample(h->x, t), 16, points, h->level * gain, phasor, &sizes, &own));
        put(evidence + t, own);
    }
}

#endif

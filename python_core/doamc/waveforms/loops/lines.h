/* Spectral lines of powers of waveforms: lines.py, for as many at once as there are lanes. */
#ifndef DOAMC_WAVEFORMS_LINES_H
#define DOAMC_WAVEFORMS_LINES_H

#include "fourier.h"

#define MOST_TIME 256 /* samples that a call takes: the window of the network */

/* A complex waveform: real parts, then imaginary ones, each of MOST_TIME, of which those after the last are finite. */
typedef float wave[2][MOST_TIME];

/* What a line is looked for in; the line, at the level of that, and its strength are written. */
struct line { const float (*q)[MOST_TIME]; float (*found)[MOST_TIME]; float *strength; int one_sided; };

struct bench { cvec *q, *x, *y, *z; vec *ratio; }; /* (MOST_TIME), and (MOST_BINS) each */

/* Samples of up to LANES waveforms, one a lane; what follows up to `end` is 0. */
INLINE void gather(int64_t time, int64_t end, int64_t count, const struct line *lines, cvec *to)
{
    memset(to, 0, (size_t)end * sizeof *to);
    for (int64_t l = 0; l < count; ++l)
        for (int64_t t = 0; t < time; ++t) to[t].re[l] = lines[l].q[0][t], to[t].im[l] = lines[l].q[1][t];
}

/* Phase and frequency improved, within a cell of the grid: x from the mean over the grid's tones. */
INLINE void improve(int64_t time, int64_t n, vec level, const cvec *q, cvec *x)
{
    const float middle = 0.5f * (float)(time - 1), cell = 3.14159265f / (float)n, known = 3.0f / (cell * cell);
    cvec mean = {all(0), all(0)}, slope = mean;
    float spread = 0;
    for (int64_t t = 0; t < time; ++t) {
        const float tau = (float)t - middle;
        const cvec left = mul_conj(q[t], unit(x[t]));
        mean = add(mean, left);
        slope = add(slope, scale(all(tau), left));
        spread += tau * tau;
    }
    mean = scale(all(1.0f / (float)time), mean);
    const cvec phase = unit(mean);
    const vec amplitude = root_of(power_of(mean));
    const vec noise = greatest(0.5f * (level - amplitude * amplitude), all(1e-6f));
    vec step = amplitude * mul_conj(slope, phase).im / (amplitude * amplitude * spread + known * noise);
    step = least(greatest(step, all(-cell)), all(cell));
    for (int64_t t = 0; t < time; ++t) x[t] = mul(mul(x[t], phase), cis(step * ((float)t - middle)));
}

/* Up to LANES lines. */
static void find_some(const float *circle, int64_t time, int64_t count, const struct line *lines, const struct bench *b)
{
    const int64_t n = 4 * power_of_two(time < 2 ? 2 : time);
    vec outside = all(1), energy = all(0), most = all(0), total = all(0);
    for (int64_t l = 0; l < count; ++l) outside[l] = lines[l].one_sided ? 0 : 1;
    gather(time, time, count, lines, b->q);
    memcpy(b->x, b->q, (size_t)time * sizeof *b->x);
    memset(b->x + time, 0, (size_t)(n - time) * sizeof *b->x);
    for (int64_t t = 0; t < time; ++t) energy += power_of(b->q[t]);
    cvec *s = transform(n, b->x, b->y, circle), *other = s == b->x ? b->y : b->x;
    const vec size = 1.0f / ((float)time * energy + 1e-12f);
    for (int64_t k = 0; k < n; ++k) {
        const vec kept = k >= 8 && k < n / 2 ? all(1) : outside;
        const vec coherence = least(power_of(s[k]) * size, all(1 - 1e-6f));
        b->ratio[k] = -(float)time * kept * log_of(1.0f - coherence);
        s[k] = scale(kept, s[k]);
        most = greatest(most, b->ratio[k]);
    }
    for (int64_t k = 0; k < n; ++k) {
        const vec share = exp_of(b->ratio[k] - most);
        total += share;
        s[k] = (cvec){share * s[k].im, share * s[k].re}; /* turned over: the transform back */
    }
    cvec *back = transform(n, s, other, circle);
    const vec whole = 1.0f / ((float)time * total);
    for (int64_t t = 0; t < time; ++t) back[t] = (cvec){whole * back[t].im, whole * back[t].re};
    improve(time, n, energy / (float)time, b->q, back);
    const vec strength = (most + log_of(total) - logf((float)n)) / (float)time;
    for (int64_t l = 0; l < count; ++l) {
        *lines[l].strength = strength[l];
        for (int64_t t = 0; t < time; ++t) lines[l].found[0][t] = back[t].re[l], lines[l].found[1][t] = back[t].im[l];
    }
}

static void find_lines(const float *circle, int64_t time, int64_t count, const struct line *lines, const struct bench *b)
{
    for (; count > 0; count -= LANES, lines += LANES) find_some(circle, time, count < LANES ? count : LANES, lines, b);
}

#endif

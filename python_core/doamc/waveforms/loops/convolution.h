/* Convolutions over time of real channels, each a row of `STRIDE` floats with a margin before and after it.
 *
 * Taps of TILE outputs lie side by side, (outputs / TILE, inputs, reach, TILE); a tile of outputs and of SPAN vectors of
 * time stays in registers while all inputs and taps are summed.
 */
#ifndef DOAMC_WAVEFORMS_CONVOLUTION_H
#define DOAMC_WAVEFORMS_CONVOLUTION_H

#include "lines.h"

#define TILE 4
#define SPAN (LANES == 16 ? 4 : 2)
#define STEP (SPAN * LANES) /* samples in a tile */
#define MARGIN 16           /* samples on either side, as far as taps reach */
#define FILTER_BINS (2 * MOST_TIME)
#define STRIDE (MARGIN + FILTER_BINS + MARGIN)

struct taps { int64_t inputs, outputs, reach, dilation; };

/* Outputs of a layer, in whole tiles: rows that it writes. */
INLINE int64_t tiled(int64_t outputs) { return (outputs + TILE - 1) / TILE * TILE; }

/* One tile at a time; from 0 where `onto` is not set, else added to what is there. */
INLINE void convolve_tile(const struct taps s, const float *in, const float *bias, const float *taps, float *out,
                          int onto)
{
    vec sum[TILE][SPAN];
    for (int o = 0; o < TILE; ++o)
        for (int v = 0; v < SPAN; ++v) sum[o][v] = onto ? at(out + o * STRIDE + v * LANES) : all(bias[o]);
    const float *first = in - s.reach / 2 * s.dilation;
    for (int64_t i = 0; i < s.inputs; ++i, first += STRIDE)
        for (int64_t k = 0; k < s.reach; ++k, taps += TILE) {
            const float *from = first + k * s.dilation;
            vec x[SPAN];
            for (int v = 0; v < SPAN; ++v) x[v] = at(from + v * LANES);
            for (int o = 0; o < TILE; ++o)
                for (int v = 0; v < SPAN; ++v) sum[o][v] += taps[o] * x[v];
        }
    for (int o = 0; o < TILE; ++o)
        for (int v = 0; v < SPAN; ++v) put(out + o * STRIDE + v * LANES, sum[o][v]);
}

/* Of samples 0 to `time`, in whole tiles; weights: biases of the outputs, unless `onto`, then taps. Returns their end. */
static const float *convolve(struct taps s, int64_t time, const float *in, const float *weights, float *out, int onto)
{
    const int64_t outputs = tiled(s.outputs), each = s.inputs * s.reach * TILE;
    const float *taps = onto ? weights : weights + outputs;
    for (int64_t t = 0; t < time; t += STEP)
        for (int64_t o = 0; o < outputs; o += TILE)
            convolve_tile(s, in + t, weights + o, taps + o / TILE * each, out + o * STRIDE + t, onto);
    return taps + outputs / TILE * each;
}

/* Outputs of a layer that sees no time; weights: biases (outputs), then (inputs, outputs). Returns their end. */
INLINE const float *linear(int64_t inputs, int64_t outputs, const float *in, const float *weights, float *out)
{
    memcpy(out, weights, (size_t)outputs * sizeof *out);
    weights += outputs;
    for (int64_t i = 0; i < inputs; ++i, weights += outputs)
        for (int64_t o = 0; o < outputs; ++o) out[o] += in[i] * weights[o];
    return weights;
}

/* Zeros after `time` samples of rows, where a tile has left something else. */
INLINE void silence(float *rows, int64_t count, int64_t time)
{
    for (int64_t i = 0; i < count; ++i)
        memset(rows + i * STRIDE + time, 0, (size_t)(MOST_TIME - time) * sizeof(float));
}

#endif

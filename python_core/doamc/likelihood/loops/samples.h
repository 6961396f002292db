/* One look at the samples of an observation, for all who ask: impulses, offsets, correlation in time. What is computed
 * and why stands in snapshots/look.py, whose functions are the reference. */
#ifndef DOAMC_SAMPLES_H
#define DOAMC_SAMPLES_H

#include "lines.h"
#include "neighbours.h"

/* Of samples y (N, L) complex: power (N, 3), sum, sum of squares and peak of |y|^2; sum (N) of y. */
INLINE void moments(int64_t n, int64_t length, const number *y, double *power, number *total)
{
    for (int64_t i = 0; i < n; ++i) {
        const number *at = y + i * length;
        double sum_of = 0, square = 0, peak = 0, sum_re = 0, sum_im = 0;
        vec s = all(0), q = all(0), a = all(0), b = all(0), most = all(0);
        int64_t t = 0;
        for (; t + LANES <= length; t += LANES) {
            vec x, z;
            for (int l = 0; l < LANES; ++l) {
                x[l] = at[t + l].re;
                z[l] = at[t + l].im;
            }
            const vec v = x * x + z * z;
            s += v;
            q += v * v;
            a += x;
            b += z;
            most = greatest(v, most);
        }
        for (; t < length; ++t) {
            const double v = at[t].re * at[t].re + at[t].im * at[t].im;
            sum_of += v;
            square += v * v;
            sum_re += at[t].re;
            sum_im += at[t].im;
            peak = v > peak ? v : peak;
        }
        for (int l = 0; l < LANES; ++l) peak = most[l] > peak ? most[l] : peak;
        power[3 * i] = sum_of + sum(s);
        power[3 * i + 1] = square + sum(q);
        power[3 * i + 2] = peak;
        total[i] = (number){sum_re + sum(a), sum_im + sum(b)};
    }
}

/* Number of snapshots that are not zero in all channels. */
INLINE int64_t heard_of(int64_t n, int64_t length, const number *y)
{
    int64_t heard = 0;
    for (int64_t t = 0; t < length; ++t) heard += !silent(n, length, y, t);
    return heard;
}

/* Greatest kurtosis of a channel, of powers (N, 3) of so many samples. */
INLINE double greatest_kurtosis(int64_t n, int64_t heard, const double *power)
{
    double most = 0;
    for (int64_t i = 0; i < n; ++i) {
        const double kurtosis = (double)heard * power[3 * i + 1] / (power[3 * i] * power[3 * i]);
        most = kurtosis > most ? kurtosis : most;
    }
    return most;
}

/* Whether every channel's lower median power of every step-th sample is at least its peak times `part`. */
INLINE int calm_of(int64_t n, int64_t length, int64_t step, double part, const number *y, const double *power)
{
    const int64_t some = (length + step - 1) / step;
    for (int64_t i = 0; i < n; ++i, y += length) {
        const double limit = part * power[3 * i + 2];
        int64_t low = 0;
        for (int64_t t = 0; t < length; t += step) low += y[t].re * y[t].re + y[t].im * y[t].im < limit;
        if (low > (some - 1) / 2) return 0;
    }
    return 1;
}

/* m^H R^-1 m of the mean m, of sums total (N) of samples, by R's eigenvalues (N), ascending, and eigenvectors (N, N). */
INLINE double mean_share_of(int64_t n, int64_t length, const number *total, const double *values, const number *vectors)
{
    const double least_value = 1e-16 * values[n - 1];
    double share = 0;
    for (int64_t k = 0; k < n; ++k) {
        number x = {0, 0};
        for (int64_t i = 0; i < n; ++i) x = plus(x, times_conjugate(total[i], vectors[i * n + k]));
        share += square_of(x) / (values[k] > least_value ? values[k] : least_value);
    }
    return share / ((double)length * (double)length);
}

/* To look in: see the functions above. */
struct look_room { void *block; vec *waves, *part, *sums; double *re, *im, *ratio, *power; number *total, *rho; };

static int open_look(struct look_room *room, int64_t elements)
{
    const size_t n = (size_t)elements, row = PIECE + LANES;
    const size_t vectors = WAVES * BLOCKS + 2 * n * BLOCKS + 2 * WAVES * n;
    room->block = malloc(sizeof(vec) * (vectors + 1) + sizeof(double) * (2 * n * row + 4 * n) + sizeof(number) * 2 * n);
    if (!room->block) return 0;
    room->waves = aligned(room->block);
    room->part = room->waves + WAVES * BLOCKS;
    room->sums = room->part + 2 * n * BLOCKS;
    room->re = (double *)(room->sums + 2 * WAVES * n);
    room->im = room->re + n * row;
    room->ratio = room->im + n * row;
    room->power = room->ratio + n;
    room->total = (number *)(room->power + 3 * n);
    room->rho = room->total + n;
    return 1;
}

/* Of samples y (N, L) and their covariance's eigenvalues and eigenvectors: lag (N, N); figures: snapshots that are heard,
 * kurtosis, line, share of the mean; verdicts: whether they are calm, and correlated in time. */
INLINE void look_at(
    int64_t n, int64_t length, const number *y, const double *values, const number *vectors, int64_t step, double part,
    double chance, struct look_room *room, number *lag, double *figures, uint8_t *verdicts)
{
    moments(n, length, y, room->power, room->total);
    first_lag(n, length, y, room->re, room->im, lag);
    const int64_t heard = heard_of(n, length, y);
    figures[0] = (double)heard;
    figures[1] = greatest_kurtosis(n, heard, room->power);
    figures[2] = heard > 4 * BESIDE
        ? line_of(n, length, heard, y, room->total, room->waves, room->part, room->sums, room->ratio) : 0;
    figures[3] = mean_share_of(n, length, room->total, values, vectors);
    verdicts[0] = (uint8_t)calm_of(n, length, step, part, y, room->power);
    verdicts[1] = (uint8_t)(length >= FEWEST && correlated_of(n, length, chance, lag, values, vectors, room->rho));
}

#endif

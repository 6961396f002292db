/* Fourier transforms of as many waveforms as there are lanes: Stockham's, which need no reordering, by radix 4 and 2. */
#ifndef DOAMC_WAVEFORMS_FOURIER_H
#define DOAMC_WAVEFORMS_FOURIER_H

#include "elementary.h"

#define MOST_BINS 1024 /* four times the window */

INLINE cvec twiddled(cvec a, const float *w) { return (cvec){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]}; }

/* x (n), n a power of two, is transformed by way of y; circle: e(-k / MOST_BINS). Returns the one that holds the result. */
static cvec *transform(int64_t n, cvec *x, cvec *y, const float *circle)
{
    int64_t s = 1;
    for (; n >= 4; n /= 4, s *= 4) {
        const int64_t m = n / 4, step = 2 * (MOST_BINS / n);
        for (int64_t p = 0; p < m; ++p) {
            const float *w1 = circle + p * step, *w2 = circle + 2 * p * step, *w3 = circle + 3 * p * step;
            const cvec *from = x + s * p;
            cvec *to = y + s * 4 * p;
            for (int64_t q = 0; q < s; ++q, ++from, ++to) {
                const cvec a = from[0], b = from[s * m], c = from[2 * s * m], d = from[3 * s * m];
                const cvec even = add(a, c), odd = sub(a, c), other = add(b, d), apart = sub(b, d);
                to[0] = add(even, other);
                to[s] = twiddled((cvec){odd.re + apart.im, odd.im - apart.re}, w1);
                to[2 * s] = twiddled(sub(even, other), w2);
                to[3 * s] = twiddled((cvec){odd.re - apart.im, odd.im + apart.re}, w3);
            }
        }
        cvec *swap = x;
        x = y, y = swap;
    }
    if (n == 2) {
        for (int64_t q = 0; q < s; ++q) y[q] = add(x[q], x[q + s]), y[q + s] = sub(x[q], x[q + s]);
        return y;
    }
    return x;
}

/* The least power of two that is not below a number. */
INLINE int64_t power_of_two(int64_t least_of)
{
    int64_t n = 1;
    while (n < least_of) n *= 2;
    return n;
}

#endif

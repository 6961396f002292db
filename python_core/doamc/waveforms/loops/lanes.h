/* A vector of single-precision numbers, as many as one register of the machine holds, by the compilers' extension.
 *
 * Lanes are samples of one waveform side by side, or (fourier.h, lines.h) one waveform each. The files of a variant
 * (plain.c, avx2.h, avx512.h) set VARIANT, REGISTER_BYTES and the instructions before this.
 */
#ifndef DOAMC_WAVEFORMS_LANES_H
#define DOAMC_WAVEFORMS_LANES_H

#include "../../likelihood/loops/variants.h"

#define INLINE static inline __attribute__((always_inline))
#define LANES (REGISTER_BYTES / 4)

typedef float vec __attribute__((vector_size(REGISTER_BYTES)));
typedef int32_t mask __attribute__((vector_size(REGISTER_BYTES))); /* -1 where true, 0 where false */

#include "../../likelihood/loops/complex_lanes.h"

INLINE vec all(float value) { return value - (vec){0}; }

INLINE vec least(vec a, vec b) { return select(b < a, b, a); } /* a where one is no number */
INLINE vec greatest(vec a, vec b) { return select(b > a, b, a); }

INLINE vec at(const float *from)
{
    vec out;
    memcpy(&out, from, sizeof out);
    return out;
}

INLINE void put(float *to, vec value) { memcpy(to, &value, sizeof value); }

INLINE float sum(vec a)
{
    float total = 0;
    for (int l = 0; l < LANES; ++l) total += a[l];
    return total;
}

INLINE cvec mul_conj(cvec a, cvec b) { return (cvec){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im}; } /* a b* */
INLINE cvec scale(vec s, cvec a) { return (cvec){s * a.re, s * a.im}; }
INLINE vec power_of(cvec a) { return a.re * a.re + a.im * a.im; }

#endif

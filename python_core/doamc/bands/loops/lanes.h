/* A vector of frames: as many floats as one register of the machine holds, by the compilers' vector extension.
 *
 * Each lane is one frame, so that the code of a transform reads as if it were for a single one. The files of a variant
 * (plain.c, avx2.h, avx512.h) set VARIANT, REGISTER_BYTES and the instructions before this.
 */
#ifndef DOAMC_BANDS_LANES_H
#define DOAMC_BANDS_LANES_H

#include "../../likelihood/loops/variants.h"

#define INLINE static inline __attribute__((always_inline))
#define LANES (REGISTER_BYTES / 4)

typedef float vec __attribute__((vector_size(REGISTER_BYTES)));
typedef double pairs __attribute__((vector_size(REGISTER_BYTES))); /* complex numbers, as they stand in memory */
typedef int32_t mask __attribute__((vector_size(REGISTER_BYTES)));

#include "../../likelihood/loops/complex_lanes.h"

#if LANES == 4
#define EVEN 0, 2, 4, 6
#define ODD 1, 3, 5, 7
#define NEXT 1, 2, 3, 4
#define FOLD(a) /* the upper half of each piece upon its lower */ \
    a += SHUFFLE(a, a, 2, 3, 2, 3), a += SHUFFLE(a, a, 1, 1, 1, 1)
#elif LANES == 8
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14
#define ODD 1, 3, 5, 7, 9, 11, 13, 15
#define NEXT 1, 2, 3, 4, 5, 6, 7, 8
#define FOLD(a) \
    a += SHUFFLE(a, a, 4, 5, 6, 7, 4, 5, 6, 7), a += SHUFFLE(a, a, 2, 3, 2, 3, 2, 3, 2, 3), \
        a += SHUFFLE(a, a, 1, 1, 1, 1, 1, 1, 1, 1)
#else
#define EVEN 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define NEXT 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16
#define FOLD(a) \
    a += SHUFFLE(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15), \
        a += SHUFFLE(a, a, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7), \
        a += SHUFFLE(a, a, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3, 2, 3), \
        a += SHUFFLE(a, a, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
#endif
#if defined __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#endif

INLINE vec all(float value) { return value - (vec){0}; }

INLINE float sum(vec a)
{
    FOLD(a);
    return a[0];
}

INLINE cvec turn(cvec a) { return (cvec){a.im, -a.re}; } /* -i a */
INLINE cvec scale(float s, cvec a) { return (cvec){s * a.re, s * a.im}; }
INLINE cvec times(cvec a, const float *w) /* by one complex number */
{
    return (cvec){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

#endif

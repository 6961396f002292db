/* A vector of chains: as many doubles as one register of the machine holds, by the compilers' vector extension.
 *
 * Every quantity of a chain is one lane of such a vector, and the code reads as if it were for a single chain. The
 * files of a variant (plain.c, avx2.h, avx512.h) set VARIANT, REGISTER_BYTES and the instructions before this.
 */
#ifndef DOAMC_LANES_H
#define DOAMC_LANES_H

#include "variants.h"

#define INLINE static inline __attribute__((always_inline))
#define LANES (REGISTER_BYTES / 8)

typedef double vec __attribute__((vector_size(REGISTER_BYTES)));
typedef int64_t mask __attribute__((vector_size(REGISTER_BYTES))); /* -1 where true, 0 where false */

#include "complex_lanes.h"

INLINE vec all(double value) { return value - (vec){0}; }

INLINE int any(mask where)
{
    int64_t some = 0;
    for (int l = 0; l < LANES; ++l) some |= where[l];
    return some != 0;
}

INLINE vec least(vec a, vec b) { return select((mask)(a < b), a, b); }
INLINE vec greatest(vec a, vec b) { return select((mask)(a > b), a, b); }

INLINE vec root_of(vec a)
{
    vec out;
    for (int l = 0; l < LANES; ++l) out[l] = sqrt(a[l]);
    return out;
}

INLINE double sum(vec a)
{
    double total = 0;
    for (int l = 0; l < LANES; ++l) total += a[l];
    return total;
}

/* count lanes from memory; lanes beyond repeat the last one, so that they take no way of their own */
INLINE vec load(const double *from, int64_t count)
{
    vec out;
    if (count >= LANES) memcpy(&out, from, sizeof out);
    else for (int l = 0; l < LANES; ++l) out[l] = from[l < count ? l : count - 1];
    return out;
}

INLINE void store(double *to, vec value, int64_t count)
{
    if (count >= LANES) memcpy(to, &value, sizeof value);
    else for (int l = 0; l < count; ++l) to[l] = value[l];
}

/* the first place of a block where a vector may lie; the block has room for one more */
INLINE void *aligned(void *block) { return (char *)block + (sizeof(vec) - (uintptr_t)block % sizeof(vec)) % sizeof(vec); }

INLINE cvec conj_mul(cvec a, cvec b) { return (cvec){a.re * b.re + a.im * b.im, a.re * b.im - a.im * b.re}; } /* a* b */
INLINE cvec conjugate(cvec a) { return (cvec){a.re, -a.im}; }
INLINE cvec scale(vec a, cvec b) { return (cvec){a * b.re, a * b.im}; }
INLINE cvec turn(cvec a) { return (cvec){-a.im, a.re}; } /* i a */
INLINE vec real_dot(cvec a, cvec b) { return a.re * b.re + a.im * b.im; } /* Re a* b */
INLINE vec real_mul(cvec a, cvec b) { return a.re * b.re - a.im * b.im; } /* Re a b */

#endif

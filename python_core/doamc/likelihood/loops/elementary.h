/* exp, log, sine and cosine of lanes, to two units in the last place: reduction of the argument in parts whose
 * products are exact (Cody and Waite, Software Manual for the Elementary Functions, 1980), then the Taylor series up
 * to the term that no longer counts. -ffast-math would reassociate these sums, and spoil them.
 */
#ifndef DOAMC_ELEMENTARY_H
#define DOAMC_ELEMENTARY_H

#include "lanes.h"

static const double ROUNDER = 0x1.8p52; /* adding it leaves the nearest integer in the low bits */

/* 0 below -708.8, infinite above 709.4; NaN stays */
INLINE vec exp_of(vec x)
{
    const double high = 0x1.62e42fee00000p-1, low = 0x1.a39ef35793c76p-33; /* log 2 */
    x = least(all(709.79), x);
    x = greatest(all(-709.09), x);
    const vec shifted = x * 0x1.71547652b82fep+0 + ROUNDER; /* 1 / log 2 */
    const vec n = shifted - ROUNDER;
    const vec r = (x - n * high) - n * low; /* |r| <= log(2) / 2 */
    static const double term[] = {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
                                  1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5};
    vec p = all(term[0]);
    for (int i = 1; i < 12; ++i) p = p * r + term[i];
    p = 1.0 + (r + r * r * p);
    const mask power = ((mask)shifted - (mask)all(ROUNDER) + 1023) << 52;
    return p * (vec)power;
}

/* of positive normal numbers; NaN for all others */
INLINE vec log_of(vec x)
{
    const double high = 0x1.62e42fee00000p-1, low = 0x1.a39ef35793c76p-33;
    const mask root_half = (mask)all(0x1.6a09e667f3bcdp-1);
    const mask above = ((mask)x - root_half) >> 52; /* exponent that leaves a number of [sqrt(1/2), sqrt 2) */
    const vec m = (vec)((mask)x - (above << 52));
    const vec e = (vec)(above + (mask)all(ROUNDER)) - ROUNDER;
    const vec s = (m - 1.0) / (m + 1.0), s2 = s * s; /* log m = 2 artanh s, |s| < 0.172 */
    vec p = all(2.0 / 21);
    for (int i = 19; i >= 3; i -= 2) p = p * s2 + 2.0 / i;
    const vec out = e * high + (2.0 * s + (s * s2 * p + e * low));
    return select((mask)(x >= 0x1p-1022) & (mask)(x <= 0x1.fffffffffffffp+1023), out, all(NAN));
}

/* cos x + i sin x; NaN where |x| > 1e8, which no phase and no angle reaches */
INLINE cvec cis(vec x)
{
    const double first = 0x1.921fb54000000p+0, second = 0x1.10b4610000000p-30, third = 0x1.a62633145c06ep-58;
    const vec shifted = x * 0x1.45f306dc9c883p-1 + ROUNDER; /* 2 / pi */
    const vec n = shifted - ROUNDER;
    const vec r = ((x - n * first) - n * second) - n * third, r2 = r * r; /* |r| <= pi / 4 */
    static const double odd[] = {1.0 / 355687428096000, -1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
                                 1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6};
    static const double even[] = {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600, -1.0 / 3628800,
                                  1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5};
    vec s = all(odd[0]), c = all(even[0]);
    for (int i = 1; i < 8; ++i) {
        s = s * r2 + odd[i];
        c = c * r2 + even[i];
    }
    s = r + r * r2 * s;
    c = 1.0 + r2 * c;
    const mask quarter = (mask)shifted, swap = -(quarter & 1);
    const vec out_s = select(swap, c, s), out_c = select(swap, s, c);
    const mask far = ~((mask)(x <= 1e8) & (mask)(x >= -1e8)); /* all bits set: a NaN */
    return (cvec){(vec)(((mask)out_c ^ (((quarter + 1) & 2) << 62)) | far), (vec)(((mask)out_s ^ ((quarter & 2) << 62)) | far)};
}

#endif

/* Functions of lanes in single precision.
 *
 * exp and log by reduction of the argument in two parts, the first of few bits, so that its products are exact (Cody and
 * Waite, Software Manual for the Elementary Functions, 1980), and the Taylor series up to the term that no longer counts.
 */
#ifndef DOAMC_WAVEFORMS_ELEMENTARY_H
#define DOAMC_WAVEFORMS_ELEMENTARY_H

#include "lanes.h"

INLINE vec root_of(vec a)
{
    vec out;
    for (int l = 0; l < LANES; ++l) out[l] = sqrtf(a[l]);
    return out;
}

/* as of -87 below that, as of 88 above; NaN stays */
INLINE vec exp_of(vec x)
{
    const float rounder = 0x1.8p23f; /* adding it leaves the nearest integer in the low bits */
    x = least(greatest(x, all(-87)), all(88));
    const vec shifted = x * 0x1.715476p+0f + rounder; /* 1 / log 2 */
    const vec n = shifted - rounder;
    const vec r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f; /* |r| <= log(2) / 2 */
    static const float term[] = {1.0f / 5040, 1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f};
    vec p = all(term[0]);
    for (int i = 1; i < 6; ++i) p = p * r + term[i];
    p = 1.0f + (r + r * r * p);
    const mask power = ((mask)shifted - (mask)all(rounder) + 127) << 23;
    return p * (vec)power;
}

/* of positive normal numbers; NaN for all others */
INLINE vec log_of(vec x)
{
    const mask root_half = (mask)all(0x1.6a09e6p-1f);
    const mask above = ((mask)x - root_half) >> 23; /* exponent that leaves a number of [sqrt(1/2), sqrt 2) */
    const vec m = (vec)((mask)x - (above << 23));
    const vec e = (vec)(above + (mask)all(0x1.8p23f)) - 0x1.8p23f;
    const vec s = (m - 1.0f) / (m + 1.0f), s2 = s * s; /* log m = 2 artanh s, |s| < 0.172 */
    vec p = all(2.0f / 9);
    for (int i = 7; i >= 3; i -= 2) p = p * s2 + 2.0f / i;
    const vec out = e * 0x1.62e4p-1f + (2.0f * s + (s * s2 * p + e * 0x1.7f7d1cp-20f));
    return select((x >= 0x1p-126f) & (x <= 0x1.fffffep+127f), out, all(NAN));
}

INLINE vec asinh_of(vec x)
{
    const mask minus = (mask)x & (mask)all(-0.0f);
    const vec size = (vec)((mask)x ^ minus);
    return (vec)((mask)log_of(size + root_of(size * size + 1.0f)) | minus);
}

INLINE vec logistic(vec x) { return 1.0f / (1.0f + exp_of(-x)); }
INLINE vec silu(vec x) { return x * logistic(x); }

/* phases as numbers of modulus one; near 0 smoothly 0 */
INLINE cvec unit(cvec a) { return scale(1.0f / root_of(power_of(a) + 1e-12f), a); }

/* e^{i x}, |x| <= pi / 8 */
INLINE cvec cis(vec x)
{
    const vec q = x * x;
    const vec s = x * (1.0f + q * (-1.0f / 6 + q * (1.0f / 120 - q / 5040.0f)));
    const vec c = 1.0f + q * (-0.5f + q * (1.0f / 24 + q * (-1.0f / 720 + q / 40320.0f)));
    return (cvec){c, s};
}

/* The square root of a number of modulus one, in the right half plane. */
INLINE cvec half_turn(cvec a)
{
    const mask left = a.re < 0.0f, minus = (mask)a.im & (mask)all(-0.0f);
    const vec size = (vec)((mask)a.im ^ minus), larger = root_of(0.5f * (1.0f + select(left, -a.re, a.re)));
    const vec smaller = 0.5f * size / larger;
    return (cvec){select(left, smaller, larger), (vec)((mask)select(left, larger, smaller) | minus)};
}

/* log I_0(x) and I_1(x) / I_0(x), x >= 0, of the modified Bessel functions: power series to 10, then Hankel's. */
INLINE vec bessel(vec x, vec *ratio)
{
    const mask far = x > 10.0f;
    const vec q = least(0.25f * x * x, all(25)), w = 0.125f / greatest(x, all(10));
    vec i0 = all(1), i1 = all(1), h0 = all(1), h1 = all(1);
    for (int k = 18; k > 0; --k) {
        i0 = 1.0f + i0 * q * (1.0f / (k * k));
        i1 = 1.0f + i1 * q * (1.0f / (k * (k + 1)));
    }
    for (int k = 10; k > 0; --k) {
        const int odd = (2 * k - 1) * (2 * k - 1);
        h0 = 1.0f + h0 * w * ((float)odd / k);
        h1 = 1.0f + h1 * w * ((float)(odd - 4) / k);
    }
    *ratio = select(far, h1 / h0, 0.5f * x * i1 / i0);
    const vec stem = x - 0.5f * log_of(6.2831853f * greatest(x, all(10)));
    return select(far, stem, all(0)) + log_of(select(far, h0, i0));
}

#endif

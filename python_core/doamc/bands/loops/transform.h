/* Fourier transforms of a vector of frames, in place: decimation in frequency by radices 2, 3, 4, 5 and 8.
 *
 * A pass of radix R over n values takes a_r = x[j + r m], m = n / R, to x[j + s m] = e(j s / n) sum_r a_r e(r s / R) with
 * e(t) = exp(-2 pi i t); what is left are R transforms of m values each, side by side. Value k of the transform ends where
 * `place` says (spectra.py), which saves putting it in order.
 */
#ifndef DOAMC_BANDS_TRANSFORM_H
#define DOAMC_BANDS_TRANSFORM_H

#include "lanes.h"

#define NEAR_BYTES 32768 /* what stays in the nearest cache */

/* A pass: values n, radix R, and e(j s / n) of all j < m, 0 < s < R, as (m, R - 1) complex numbers. */
struct pass {
    int64_t n, radix;
    const float *twiddle;
};

INLINE void of_four(cvec *a)
{
    const cvec p = add(a[0], a[2]), q = sub(a[0], a[2]), r = add(a[1], a[3]), s = turn(sub(a[1], a[3]));
    a[0] = add(p, r), a[1] = add(q, s), a[2] = sub(p, r), a[3] = sub(q, s);
}

/* Transform of R values. */
INLINE void of_few(const int64_t radix, cvec *a)
{
    if (radix == 2) {
        const cvec p = a[0];
        a[0] = add(p, a[1]), a[1] = sub(p, a[1]);
    } else if (radix == 3) {
        const cvec p = add(a[1], a[2]), q = scale(0.8660254037844386f, turn(sub(a[1], a[2])));
        const cvec r = sub(a[0], scale(0.5f, p));
        a[0] = add(a[0], p), a[1] = add(r, q), a[2] = sub(r, q);
    } else if (radix == 4) {
        of_four(a);
    } else if (radix == 5) {
        const float c1 = 0.30901699437494745f, c2 = -0.8090169943749475f, s1 = 0.9510565162951535f, s2 = 0.5877852522924731f;
        const cvec p1 = add(a[1], a[4]), p2 = add(a[2], a[3]), q1 = turn(sub(a[1], a[4])), q2 = turn(sub(a[2], a[3]));
        const cvec r1 = add(a[0], add(scale(c1, p1), scale(c2, p2))), r2 = add(a[0], add(scale(c2, p1), scale(c1, p2)));
        const cvec t1 = add(scale(s1, q1), scale(s2, q2)), t2 = sub(scale(s2, q1), scale(s1, q2));
        a[0] = add(a[0], add(p1, p2));
        a[1] = add(r1, t1), a[4] = sub(r1, t1), a[2] = add(r2, t2), a[3] = sub(r2, t2);
    } else {
        const float half = 0.7071067811865476f;
        cvec even[4] = {a[0], a[2], a[4], a[6]}, odd[4] = {a[1], a[3], a[5], a[7]};
        of_four(even);
        of_four(odd);
        odd[1] = scale(half, add(odd[1], turn(odd[1])));
        odd[2] = turn(odd[2]);
        odd[3] = scale(half, sub(turn(odd[3]), odd[3]));
        for (int k = 0; k < 4; ++k) a[k] = add(even[k], odd[k]), a[k + 4] = sub(even[k], odd[k]);
    }
}

INLINE void pass_of(const int64_t radix, cvec *x, int64_t blocks, const struct pass *p)
{
    const int64_t m = p->n / radix;
    for (int64_t b = 0; b < blocks; ++b, x += p->n) {
        const float *w = p->twiddle;
        for (int64_t j = 0; j < m; ++j) {
            cvec a[8];
            for (int64_t r = 0; r < radix; ++r) a[r] = x[j + r * m];
            of_few(radix, a);
            x[j] = a[0];
            for (int64_t s = 1; s < radix; ++s, w += 2) x[j + s * m] = m > 1 ? times(a[s], w) : a[s];
        }
    }
}

static void one_pass(cvec *x, int64_t blocks, const struct pass *p)
{
    switch (p->radix) {
    case 2: pass_of(2, x, blocks, p); break;
    case 3: pass_of(3, x, blocks, p); break;
    case 4: pass_of(4, x, blocks, p); break;
    case 5: pass_of(5, x, blocks, p); break;
    default: pass_of(8, x, blocks, p);
    }
}

/* The passes that are left, over x: one part after the other where all of it does not stay near. */
static void transform(cvec *x, const struct pass *p, const struct pass *end)
{
    if (p == end) return;
    const int64_t n = p->n;
    if (n * (int64_t)sizeof *x <= NEAR_BYTES) {
        for (; p < end; ++p) one_pass(x, n / p->n, p);
        return;
    }
    one_pass(x, 1, p);
    for (int64_t r = 0; r < p->radix; ++r) transform(x + r * (n / p->radix), p + 1, end);
}

#endif

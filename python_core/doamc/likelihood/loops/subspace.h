/* Small Hermitian matrices of one observation: eigenvectors, pseudo-inverses, powers of sources. */
#ifndef DOAMC_SUBSPACE_H
#define DOAMC_SUBSPACE_H

#include "lanes.h"

typedef struct { double re, im; } number;

INLINE number plus(number a, number b) { return (number){a.re + b.re, a.im + b.im}; }
INLINE number times(number a, number b) { return (number){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }
INLINE number times_conjugate(number a, number b) { return (number){a.re * b.re + a.im * b.im, a.im * b.re - a.re * b.im}; }
INLINE double square_of(number a) { return a.re * a.re + a.im * a.im; }

/* Eigenvalues (P) and eigenvectors, columns of basis (P, P), of a Hermitian matrix, which is spoilt: cyclic Jacobi
 * rotations (Golub and Van Loan, Matrix Computations, section 8.5), quadratic convergence, for P of a few. */
INLINE void eigen(int64_t p, number *a, number *basis, double *value)
{
    for (int64_t i = 0; i < p * p; ++i) basis[i] = (number){i % (p + 1) == 0, 0};
    for (int sweep = 0; sweep < 30; ++sweep) {
        double off = 0, all_of = 0;
        for (int64_t i = 0; i < p; ++i)
            for (int64_t j = 0; j < p; ++j) {
                const double size = a[i * p + j].re * a[i * p + j].re + a[i * p + j].im * a[i * p + j].im;
                all_of += size;
                if (i != j) off += size;
            }
        if (!(off > 1e-34 * all_of)) break;
        for (int64_t i = 0; i < p - 1; ++i)
            for (int64_t j = i + 1; j < p; ++j) {
                const number x = a[i * p + j];
                const double size = sqrt(x.re * x.re + x.im * x.im);
                if (!(size > 0)) continue;
                const double tau = (a[j * p + j].re - a[i * p + i].re) / (2 * size);
                const double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau)), c = 1 / sqrt(1 + t * t);
                const number s = {t * c * x.re / size, t * c * x.im / size}; /* of the phase of a_ij */
                for (int64_t k = 0; k < p; ++k) { /* columns i and j of A and of the basis */
                    number *row[2] = {a + k * p, basis + k * p};
                    for (int m = 0; m < 2; ++m) {
                        const number u = row[m][i], v = row[m][j], su = times(s, u), sv = times_conjugate(v, s);
                        row[m][i] = (number){c * u.re - sv.re, c * u.im - sv.im};
                        row[m][j] = (number){c * v.re + su.re, c * v.im + su.im};
                    }
                }
                for (int64_t k = 0; k < p; ++k) { /* rows i and j of A */
                    const number u = a[i * p + k], v = a[j * p + k], su = times_conjugate(u, s), sv = times(s, v);
                    a[i * p + k] = (number){c * u.re - sv.re, c * u.im - sv.im};
                    a[j * p + k] = (number){c * v.re + su.re, c * v.im + su.im};
                }
            }
    }
    for (int64_t k = 0; k < p; ++k) value[k] = a[k * p + k].re;
}

/* V^+ (P, N) of V (N, P); work: 2 P^2 numbers and P doubles. */
INLINE void pseudo_inverse(int64_t n, int64_t p, const number *v, number *inverse, number *work, double *size)
{
    const double least_part = 1e-13; /* as in estimators/powers.py */
    number *gram = work, *basis = work + p * p;
    double most = 0;
    for (int64_t k = 0; k < p; ++k)
        for (int64_t l = 0; l < p; ++l) {
            number x = {0, 0};
            for (int64_t i = 0; i < n; ++i) x = plus(x, times_conjugate(v[i * p + l], v[i * p + k]));
            gram[k * p + l] = x;
        }
    eigen(p, gram, basis, size);
    for (int64_t k = 0; k < p; ++k) most = size[k] > most ? size[k] : most;
    for (int64_t k = 0; k < p; ++k)
        for (int64_t l = 0; l < p; ++l) { /* (V^H V)^+ */
            number x = {0, 0};
            for (int64_t m = 0; m < p; ++m)
                if (size[m] > least_part * most) {
                    const number u = times_conjugate(basis[k * p + m], basis[l * p + m]);
                    x = plus(x, (number){u.re / size[m], u.im / size[m]});
                }
            gram[k * p + l] = x;
        }
    for (int64_t k = 0; k < p; ++k)
        for (int64_t i = 0; i < n; ++i) {
            number x = {0, 0};
            for (int64_t l = 0; l < p; ++l) x = plus(x, times_conjugate(gram[k * p + l], v[i * p + l]));
            inverse[k * n + i] = x;
        }
}

/* Powers (P) = diagonal of V^+ (Rhat - s2 I) V^+H, at least a thousandth of s2. work: P N + 2 P^2 numbers and P doubles. */
INLINE void powers_of(int64_t n, int64_t p, const number *covariance, const number *v, double noise, number *work, double *out)
{
    number *inverse = work;
    pseudo_inverse(n, p, v, inverse, work + p * n, (double *)(work + p * n + 2 * p * p));
    for (int64_t k = 0; k < p; ++k) {
        const number *w = inverse + k * n;
        double received = 0, size = 0;
        for (int64_t j = 0; j < n; ++j) {
            number x = {0, 0};
            for (int64_t i = 0; i < n; ++i) x = plus(x, times(w[i], covariance[i * n + j]));
            received += times_conjugate(x, w[j]).re;
            size += times_conjugate(w[j], w[j]).re;
        }
        const double power = received - noise * size;
        out[k] = power > 1e-3 * noise ? power : 1e-3 * noise;
    }
}

#endif

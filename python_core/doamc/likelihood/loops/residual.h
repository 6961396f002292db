/* How far a sample covariance is from that of a model (see estimators/misfit.py). */
#ifndef DOAMC_RESIDUAL_H
#define DOAMC_RESIDUAL_H

#include "subspace.h"

/* ||R^-1/2 Rhat R^-1/2 - I||^2 of R = V V^H + s2 I; NaN where R is not positive. r, e (N, N): to compute in. */
INLINE double residual_of(
    int64_t n, int64_t p, const number *covariance, const number *v, double noise, number *r, number *e)
{
    for (int64_t i = 0; i < n; ++i) /* the lower root of R, row by row */
        for (int64_t j = 0; j <= i; ++j) {
            number x = {i == j ? noise : 0, 0};
            for (int64_t k = 0; k < p; ++k) {
                const number a = v[i * p + k], b = v[j * p + k];
                x.re += a.re * b.re + a.im * b.im;
                x.im += a.im * b.re - a.re * b.im;
            }
            for (int64_t k = 0; k < j; ++k) {
                const number a = r[i * n + k], b = r[j * n + k];
                x.re -= a.re * b.re + a.im * b.im;
                x.im -= a.im * b.re - a.re * b.im;
            }
            if (i == j && !(x.re > 0 && x.re < INFINITY)) return NAN;
            const double by = i == j ? sqrt(x.re) : r[j * n + j].re;
            r[i * n + j] = i == j ? (number){by, 0} : (number){x.re / by, x.im / by};
        }
    memcpy(e, covariance, sizeof *e * (size_t)(n * n));
    for (int side = 0; side < 2; ++side) {
        for (int64_t i = 0; i < n; ++i) { /* root^-1 e */
            number *row = e + i * n;
            const double by = 1 / r[i * n + i].re;
            for (int64_t k = 0; k < i; ++k) {
                const number a = r[i * n + k], *b = e + k * n;
                for (int64_t j = 0; j < n; ++j) {
                    row[j].re -= a.re * b[j].re - a.im * b[j].im;
                    row[j].im -= a.re * b[j].im + a.im * b[j].re;
                }
            }
            for (int64_t j = 0; j < n; ++j) row[j] = (number){row[j].re * by, row[j].im * by};
        }
        for (int64_t i = 0; i < n; ++i) /* its adjoint */
            for (int64_t j = 0; j <= i; ++j) {
                const number a = e[i * n + j], b = e[j * n + i];
                e[i * n + j] = (number){b.re, -b.im};
                e[j * n + i] = (number){a.re, -a.im};
            }
    }
    double total = 0;
    for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) {
            const double re = e[i * n + j].re - (i == j), im = e[i * n + j].im;
            total += re * re + im * im;
        }
    return total;
}

/* The same of the likeliest R = V S V^H + s2 I for given V (N, P), S of sources of any correlation; noise: s2, or NaN
 * where it is to be found. work: P (4 P + 3 N) + 2 N^2 numbers and P doubles. */
INLINE double subspace_residual_of(int64_t n, int64_t p, const number *covariance, const number *v, double noise, number *work)
{
    number *inverse = work, *seen = inverse + p * n, *s = seen + p * n, *basis = s + p * p, *part = basis + p * p;
    number *rest = part + n * p;
    double *size = (double *)(rest + 2 * p * p + 2 * n * n), trace = 0, signal = 0;
    pseudo_inverse(n, p, v, inverse, rest, size);
    for (int64_t k = 0; k < p; ++k) /* V^+ Rhat */
        for (int64_t j = 0; j < n; ++j) {
            number x = {0, 0};
            for (int64_t i = 0; i < n; ++i) x = plus(x, times(inverse[k * n + i], covariance[i * n + j]));
            seen[k * n + j] = x;
        }
    for (int64_t i = 0; i < n; ++i) {
        trace += covariance[i * n + i].re;
        for (int64_t k = 0; k < p; ++k) signal += times(v[i * p + k], seen[k * n + i]).re;
    }
    if (isnan(noise)) noise = (trace - signal) / (double)(n - p);
    if (!(noise > 1e-12 * trace / (double)n)) noise = 1e-12 * trace / (double)n;
    for (int64_t k = 0; k < p; ++k) /* V^+ (Rhat - s2 I) V^+H, Hermitian */
        for (int64_t l = 0; l < p; ++l) {
            number x = {0, 0};
            for (int64_t j = 0; j < n; ++j) {
                const number b = inverse[k * n + j], a = {seen[k * n + j].re - noise * b.re, seen[k * n + j].im - noise * b.im};
                x = plus(x, times_conjugate(a, inverse[l * n + j]));
            }
            s[k * p + l] = x;
        }
    eigen(p, s, basis, size);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < p; ++k) {
            const double root = size[k] > 0 ? sqrt(size[k]) : 0;
            number x = {0, 0};
            for (int64_t l = 0; l < p; ++l) x = plus(x, times(v[i * p + l], basis[l * p + k]));
            part[i * p + k] = (number){root * x.re, root * x.im};
        }
    return residual_of(n, p, covariance, part, noise, rest + 2 * p * p, rest + 2 * p * p + n * n);
}

#endif

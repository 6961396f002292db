/* Whether the largest eigenvalue of Hermitian matrices is above a value (see detector.py). */
#ifndef DOAMC_BANDS_EXCEEDS_H
#define DOAMC_BANDS_EXCEEDS_H

#include <math.h>
#include <stdint.h>

#define MOST_CHANNELS 128

/* Whether value I - R has no Cholesky decomposition; matrix (N, N) complex, of which the lower half is read. */
static int exceeds(int64_t n, const double *matrix, double value, double *root)
{
    for (int64_t i = 0; i < n; ++i) {
        double *row = root + 2 * i * n;
        for (int64_t j = 0; j < i; ++j) {
            const double *other = root + 2 * j * n;
            double re = -matrix[2 * (i * n + j)], im = -matrix[2 * (i * n + j) + 1];
            for (int64_t k = 0; k < j; ++k) { /* less row times the conjugate of other */
                re -= row[2 * k] * other[2 * k] + row[2 * k + 1] * other[2 * k + 1];
                im -= row[2 * k + 1] * other[2 * k] - row[2 * k] * other[2 * k + 1];
            }
            row[2 * j] = re / other[2 * j];
            row[2 * j + 1] = im / other[2 * j];
        }
        double pivot = value - matrix[2 * (i * n + i)];
        for (int64_t k = 0; k < 2 * i; ++k) pivot -= row[k] * row[k];
        if (!(pivot > 0)) return 1;
        row[2 * i] = sqrt(pivot);
        row[2 * i + 1] = 0;
    }
    return 0;
}

#endif

/* Constants of an array and its prior, laid out as `Model` of kernels.py; complex numbers are pairs of doubles, arrays in C order. */
#ifndef DOAMC_MODEL_H
#define DOAMC_MODEL_H

#include "variants.h"

struct model {
    /* sizes: elements N; columns J N of the response; patterns K'; sources P; flat coordinates of the coupling family;
     * pairs of sources that may be coherent; leading coordinates that have walls; coordinates d */
    int64_t n, wide, n_patterns, n_sources, n_flat, n_pairs, n_box, size;
    /* truths: elements evenly on a line, the first at the origin; Hermitian family; noise power unknown; azimuths on a
     * circle; sources with heights, the sines of elevations. n_real: first flat coordinates that are coefficients
     * themselves, the others having a phase; n_normal: first ones of standard normal prior */
    int64_t even, hermitian, n_real, n_normal, unknown_noise, circle, elevated;
    /* first index of amplitudes, flat coordinates, noise, azimuths, wrapping coordinates, correlations' angles and phases,
     * heights */
    int64_t amplitude, flat, noise, azimuth, wrapping, angle, phase, height;
    double gap;             /* cosine of the least separation on a circle or a sphere, else the separation in rad */
    const double *steer;    /* (N, 2): 2 pi x and 2 pi y in wavelengths */
    const double *rise;     /* (N): 2 pi z, read where elevated */
    const double *mean;     /* (N, J N) complex */
    const double *patterns; /* (K', N, J N) complex */
    const double *low, *high; /* (d,) walls of the box, or period */
};

/* What was received: covariance (N, N) complex, its trace, snapshots, log noise power (read where it is known). */
struct observation {
    const double *covariance;
    double trace, count, log_noise;
};

enum status { DONE = 0, NO_MEMORY = 1, NOT_VALID = 2 };

static inline int within(int64_t first, int64_t count, int64_t size)
{
    return first >= 0 && count >= 0 && first <= size && count <= size - first;
}

/* Order n of the functions on the sphere that are (n + 1)^2 in number; -1 where no order has so many. */
static inline int64_t sphere_order(int64_t functions)
{
    for (int64_t n = 0; (n + 1) * (n + 1) <= functions; ++n)
        if ((n + 1) * (n + 1) == functions) return n;
    return -1;
}

/* Whether sizes are sane and every block of coordinates lies inside a point. */
static inline int valid(const struct model *m)
{
    const int64_t most = 4096, p = m->n_sources, d = m->size;
    if (m->n < 1 || m->n > most || m->wide < m->n || m->wide > most || m->wide % m->n) return 0;
    if (m->n_patterns < 0 || m->n_patterns > most || p < 1 || p > most || d < 1 || d > most) return 0;
    if (m->n_pairs != 0 && m->n_pairs != p * (p - 1) / 2) return 0;
    if (!within(0, m->n_flat, most) || !within(0, m->n_real, m->n_flat) || !within(0, m->n_normal, m->n_flat)) return 0;
    const int64_t polar = m->n_flat - m->n_real;
    if (m->n_patterns != m->n_flat + (m->hermitian ? polar : 0) || m->n_box < 0 || m->n_box > d) return 0;
    return within(m->amplitude, p, d) && within(m->flat, m->n_flat, d) && within(m->noise, !!m->unknown_noise, d) &&
           within(m->azimuth, p, d) && within(m->wrapping, polar, d) &&
           within(m->angle, m->n_pairs, d) && within(m->phase, m->n_pairs, d) &&
           (!m->elevated || sphere_order(m->wide / m->n) >= 0) && within(m->height, m->elevated ? p : 0, d);
}

static inline struct observation observe(const struct model *m, const double *covariance, double count, double log_noise)
{
    struct observation o = {covariance, 0, count, log_noise};
    for (int64_t i = 0; i < m->n; ++i) o.trace += covariance[2 * i * (m->n + 1)];
    return o;
}

#endif

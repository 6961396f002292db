/* What Python calls, once for each variant; shapes stand in kernels.py, which has checked them. Each returns a status. */
#include "chains.h"
#include "exports.h"
#include "mode_search.h"
#include "quadratic.h"
#include "residual.h"
#include "samples.h"
#include "tempering.h"

/* The observations of a batch. */
struct batch {
    int64_t size, chains;
    const double *covariance, *count, *log_noise; /* (B, N, N) complex, (B), (B) */
};

static struct observation take(const struct model *m, const struct batch *batch, int64_t b)
{
    return observe(m, batch->covariance + b * 2 * m->n * m->n, batch->count[b], batch->log_noise[b]);
}

/* Log posterior of x (B, d, S) into out (B, S): -inf outside the prior's support. */
EXPORT int NAME(log_posterior)(const struct model *m, const struct batch *batch, const double *x, double *out)
{
    struct workspace w;
    const int status = open_workspace(&w, m);
    if (status != DONE) return status;
    const int64_t d = m->size, chains = batch->chains;
    for (int64_t b = 0; b < batch->size; ++b, x += d * chains, out += chains) {
        const struct observation o = take(m, batch, b);
        for (int64_t s = 0; s < chains; s += LANES) {
            for (int64_t i = 0; i < d; ++i) w.x[i] = load(x + i * chains + s, chains - s);
            const vec value = log_density(m, &o, &w, w.x);
            store(out + s, select(inside(m, w.x), value, all(-INFINITY)), chains - s);
        }
    }
    free(w.block);
    return DONE;
}

/* Gradient (B, S, d) and Fisher information (B, S, d, d) at x (B, d, S). */
EXPORT int NAME(information)(const struct model *m, const struct batch *batch, const double *x, double *gradient, double *f)
{
    struct workspace w;
    const int status = open_workspace(&w, m);
    if (status != DONE) return status;
    const int64_t d = m->size, chains = batch->chains;
    for (int64_t b = 0; b < batch->size; ++b, x += d * chains) {
        const struct observation o = take(m, batch, b);
        for (int64_t s = 0; s < chains; s += LANES) {
            for (int64_t i = 0; i < d; ++i) w.x[i] = load(x + i * chains + s, chains - s);
            information(m, &o, &w, w.x);
            for (int64_t l = 0; l < LANES && s + l < chains; ++l, gradient += d, f += d * d) {
                for (int64_t i = 0; i < d; ++i) gradient[i] = w.gradient[i][l];
                for (int64_t i = 0; i < d * d; ++i) f[i] = w.f[i][l];
            }
        }
    }
    free(w.block);
    return DONE;
}

/* All steps of the tables by the chains of all observations: start and end (B, d, S), value (B, S), kept
 * (B, d, keep, S), accepted (B, S), factors (B, S, d, d). */
EXPORT int NAME(run_chains)(
    const struct model *m, const struct batch *batch, const struct tables *t, const struct chains *all_chains)
{
    struct workspace w;
    if (!valid_tables(t)) return NOT_VALID;
    const int status = open_workspace(&w, m);
    if (status != DONE) return status;
    int64_t (*span)[2] = malloc(sizeof *span * (size_t)m->size);
    if (span) {
        for (int64_t b = 0; b < batch->size; ++b) {
            const struct observation o = take(m, batch, b);
            const struct chains c = chains_of(all_chains, b, m->size, batch->chains);
            for (int64_t s = 0; s < batch->chains; s += LANES)
                run_lanes(m, &o, &w, t, &c, s, batch->chains - s, span);
        }
    }
    free(w.block);
    free(span);
    return span ? DONE : NO_MEMORY;
}

/* Steps in place on points x (B, d, G), value, damping and done (B, G); ridge (d) is added to the curvature. */
EXPORT int NAME(search_modes)(
    const struct model *m, const struct batch *batch, double *x, double *value, double *damping, uint8_t *done,
    const double *ridge, int64_t steps)
{
    struct workspace w;
    const int status = open_workspace(&w, m);
    if (status != DONE) return status;
    const int64_t d = m->size, points = batch->chains;
    for (int64_t b = 0; b < batch->size; ++b, x += d * points) {
        const struct observation o = take(m, batch, b);
        for (int64_t g = 0; g < points; g += LANES)
            search_lanes(m, &o, &w, points, g, points - g, x, value + b * points, damping + b * points,
                         done + b * points, ridge, steps);
    }
    free(w.block);
    return DONE;
}

/* Of values (B, S) into out (B). */
EXPORT int NAME(tempering)(int64_t size, int64_t chains, const double *value, double effective, double most, double *out)
{
    for (int64_t b = 0; b < size; ++b) out[b] = temper(value + b * chains, chains, effective, most);
    return DONE;
}

/* Azimuths (B, count) of the lowest minima of a^H M a, of M (B, N, N) complex. */
EXPORT int NAME(minima)(const struct spectrum *s, int64_t size, const double *m, int64_t count, double *out)
{
    const int64_t most = 1 << 20, n = s->n, points = s->points;
    if (n < 1 || n > 4096 || points < 3 || points > most || count < 1 || count > points) return NOT_VALID;
    const size_t side = sizeof(vec) * 4 * (size_t)((n + LANES - 1) / LANES);
    const size_t bytes = side + sizeof(vec) + sizeof(double) * (size_t)points + sizeof(int64_t) * (size_t)count;
    char *block = malloc(bytes);
    if (!block) return NO_MEMORY;
    char *at = block + (sizeof(vec) - (uintptr_t)block % sizeof(vec)) % sizeof(vec);
    double *f = (double *)(at + side);
    int64_t *place = (int64_t *)(f + points);
    for (int64_t b = 0; b < size; ++b) minima_of(s, m + b * 2 * n * n, count, f, (vec *)at, place, out + b * count);
    free(block);
    return DONE;
}

/* Numbers to compute in, for matrices of N elements and P sources; none where sizes are not sane. */
static number *matrices(int64_t n, int64_t p)
{
    const int64_t most = 4096;
    if (n < 1 || n > most || p < 0 || p > most) return 0;
    return malloc(sizeof(number) * (size_t)(2 * n * n + 3 * n * p + 4 * p * p + p + 1));
}

/* Squared residuals (B) of covariances (B, N, N) to models V V^H + s2 I, V (B, N, P), s2 (B); free: to V S V^H + s2 I of
 * the likeliest S, and s2 where it is NaN. */
EXPORT int NAME(residual)(
    int64_t size, int64_t n, int64_t p, const number *covariance, const number *v, const double *noise, int64_t free_signals,
    double *out)
{
    number *work = matrices(n, p);
    if (!work) return NO_MEMORY;
    for (int64_t b = 0; b < size; ++b, covariance += n * n, v += n * p)
        out[b] = free_signals ? subspace_residual_of(n, p, covariance, v, noise[b], work)
                              : residual_of(n, p, covariance, v, noise[b], work, work + n * n);
    free(work);
    return DONE;
}

/* Powers (B, P) of sources of responses V (B, N, P) in covariances (B, N, N) with noise s2 (B). */
EXPORT int NAME(powers)(
    int64_t size, int64_t n, int64_t p, const number *covariance, const number *v, const double *noise, double *out)
{
    number *work = matrices(n, p);
    if (!work) return NO_MEMORY;
    for (int64_t b = 0; b < size; ++b, covariance += n * n, v += n * p, out += p)
        powers_of(n, p, covariance, v, noise[b], work, out);
    free(work);
    return DONE;
}

/* Of samples y (B, N, L): power (B, N, 3), total (B, N), lag (B, N, N), heard (B) as in samples.h; whether channels are calm (B). */
EXPORT int NAME(look)(
    int64_t size, int64_t n, int64_t length, const number *y, int64_t step, double part, double *power, number *total,
    number *lag, double *heard, uint8_t *quiet)
{
    if (n < 1 || n > 4096 || length < 1 || step < 1) return NOT_VALID;
    double *re = malloc(2 * sizeof *re * (size_t)(n * (PIECE + LANES)));
    if (!re) return NO_MEMORY;
    for (int64_t b = 0; b < size; ++b, y += n * length, power += 3 * n, total += n, lag += n * n) {
        look_at(n, length, y, re, re + n * (PIECE + LANES), power, total, lag);
        heard[b] = heard_of(n, length, y);
        quiet[b] = (uint8_t)calm(n, length, step, part, y, power);
    }
    free(re);
    return DONE;
}

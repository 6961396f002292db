/* What Python calls, once for each variant; shapes stand in kernels.py, which has checked them. Each returns a status. */
#include "chains.h"
#include "exports.h"
#include "mode_search.h"
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

/* What a descent asks of points x (M, d), of the observations that item (M) names: minus the log density, infinite where
 * there is none, into value (M), its gradient (M, d) and information (M, d, d). Coordinates are times scale (d) what the
 * model takes. Points in turn of one observation are lanes of one vector. */
EXPORT int NAME(descent)(
    const struct model *m, const struct batch *batch, int64_t points, const int64_t *item, const double *x,
    const double *scale, double *value, double *gradient, double *f)
{
    struct workspace w;
    const int64_t d = m->size;
    for (int64_t s = 0; s < points; ++s)
        if (item[s] < 0 || item[s] >= batch->size) return NOT_VALID;
    const int status = open_workspace(&w, m);
    if (status != DONE) return status;
    for (int64_t s = 0, lanes; s < points; s += lanes) {
        const struct observation o = take(m, batch, item[s]);
        for (lanes = 1; lanes < LANES && s + lanes < points && item[s + lanes] == item[s];) ++lanes;
        for (int64_t i = 0; i < d; ++i)
            for (int64_t l = 0; l < LANES; ++l) w.x[i][l] = scale[i] * x[(s + (l < lanes ? l : lanes - 1)) * d + i];
        const vec level = log_density(m, &o, &w, w.x);
        information(m, &o, &w, w.x);
        for (int64_t l = 0; l < lanes; ++l, gradient += d, f += d * d) {
            value[s + l] = isfinite(level[l]) ? -level[l] : INFINITY;
            for (int64_t i = 0; i < d; ++i) gradient[i] = -scale[i] * w.gradient[i][l];
            for (int64_t i = 0; i < d; ++i)
                for (int64_t j = 0; j < d; ++j) f[i * d + j] = scale[i] * scale[j] * w.f[i * d + j][l];
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

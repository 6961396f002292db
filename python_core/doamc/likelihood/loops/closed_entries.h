/* What Python calls of estimators in closed form, once for each variant; shapes stand in estimator_loops.py and
 * sample_loops.py, which have checked them. Each returns a status. */
#include "exports.h"
#include "model.h"
#include "music.h"
#include "reported.h"
#include "samples.h"

/* Room for a search on a grid. */
struct search { void *block; double *f; vec *side; int64_t *place; };

static int open_search(struct search *room, const struct spectrum *s, int64_t count)
{
    const int64_t most = 1 << 20, n = s->n, points = s->points;
    if (n < 1 || n > 4096 || points < 3 || points > most || count < 1 || count > points) return NOT_VALID;
    const size_t side = sizeof(vec) * 4 * (size_t)((n + LANES - 1) / LANES);
    room->block = malloc(side + sizeof(vec) + sizeof(double) * (size_t)points + sizeof(int64_t) * (size_t)count);
    if (!room->block) return NO_MEMORY;
    room->side = aligned(room->block);
    room->f = (double *)((char *)room->side + side);
    room->place = (int64_t *)(room->f + points);
    return DONE;
}

/* Azimuths (B, count) of the lowest minima of a^H M a, of M (B, N, N) complex. */
EXPORT int NAME(minima)(const struct spectrum *s, int64_t size, const double *m, int64_t count, double *out)
{
    struct search room;
    const int64_t n = s->n;
    const int status = open_search(&room, s, count);
    if (status != DONE) return status;
    for (int64_t b = 0; b < size; ++b) minima_of(s, m + b * 2 * n * n, count, room.f, room.side, room.place, out + b * count);
    free(room.block);
    return DONE;
}

/* MUSIC of P sources of eigenvalues (B, N), eigenvectors and covariances (B, N, N): azimuth, std, power (B, P), noise (B),
 * which is known where it is no NaN. */
EXPORT int NAME(music)(
    const struct spectrum *s, int64_t size, int64_t p, const double *values, const number *vectors, const number *covariance,
    double length, double *azimuth, double *std, double *power, double *noise)
{
    struct search room;
    const int64_t n = s->n;
    if (p < 1 || p >= n) return NOT_VALID;
    const int status = open_search(&room, s, p);
    if (status != DONE) return status;
    number *work = malloc(sizeof *work * music_room(n, p));
    for (int64_t b = 0; work && b < size; ++b) {
        const struct found out = {azimuth + b * p, std + b * p, power + b * p, noise + b};
        music_of(s, p, values + b * n, vectors + b * n * n, covariance + b * n * n, length, noise[b], room.f, room.side,
                 room.place, work, &out);
    }
    free(work);
    free(room.block);
    return work ? DONE : NO_MEMORY;
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

/* Squared residuals (B) as above of what is reported: V of azimuths (B, P), couplings (B, N, N), powers (B, P), or none,
 * and wave (N, 2). coupled (1): whether any coupling is other than I. */
EXPORT int NAME(reported)(
    int64_t size, int64_t n, int64_t p, const number *covariance, const double *wave, const double *azimuth,
    const number *coupling, const double *power, const double *noise, double *out, uint8_t *coupled)
{
    number *work = matrices(n, p), *v = matrices(n, p), *a = v ? v + n * p : 0;
    for (int64_t b = 0; work && v && b < size; ++b, covariance += n * n, coupling += n * n, azimuth += p) {
        const int bent = couples(n, coupling);
        respond(n, p, wave, azimuth, bent ? coupling : 0, power ? power + b * p : 0, a, v);
        *coupled |= (uint8_t)bent;
        out[b] = power ? residual_of(n, p, covariance, v, noise[b], work, work + n * n)
                       : subspace_residual_of(n, p, covariance, v, noise[b], work);
    }
    free(work);
    free(v);
    return work && v ? DONE : NO_MEMORY;
}

/* Of samples y (B, N, L), and eigenvalues (B, N) and eigenvectors (B, N, N) of their covariance: lag (B, N, N), figures
 * (B, 4) and verdicts (B, 2), in the order of samples.h. step, part: of `calm_of`; chance: of `correlated_of`. */
EXPORT int NAME(look)(
    int64_t size, int64_t n, int64_t length, const number *y, const double *values, const number *vectors, int64_t step,
    double part, double chance, number *lag, double *figures, uint8_t *verdicts)
{
    if (n < 1 || n > 4096 || length < 1 || step < 1) return NOT_VALID;
    struct look_room room;
    if (!open_look(&room, n)) return NO_MEMORY;
    for (int64_t b = 0; b < size; ++b, y += n * length, values += n, vectors += n * n, lag += n * n)
        look_at(n, length, y, values, vectors, step, part, chance, &room, lag, figures + 4 * b, verdicts + 2 * b);
    free(room.block);
    return DONE;
}

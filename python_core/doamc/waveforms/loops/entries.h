/* What Python calls, once for each variant; shapes stand in compiled_net.py, which has checked them. */
#include "net.h"
#include "../../likelihood/loops/exports.h"

enum status { DONE = 0, NO_MEMORY = 1, NOT_VALID = 2 };

INLINE int valid(const struct net *n)
{
    if (n->width < 1 || n->width > MOST_CONTEXT || n->context < 1 || n->context > MOST_CONTEXT || n->streams < 1) return 0;
    for (int64_t b = 0; b < n->blocks; ++b)
        if (n->dilations[b] < 1 || 2 * n->dilations[b] > MARGIN) return 0;
    return 1;
}

/* Of waveforms x (rows, T) complex and sigma (rows): F (rows, T) complex, and the logarithm of the variance (rows, T). */
EXPORT int NAME(waveform_net)(const struct net *n, int64_t rows, int64_t time, const float *x, const float *sigma, float *f,
                              float *log_variance)
{
    struct room r;
    float scalars[SCALARS];
    if (!valid(n) || time < 1 || time > MOST_TIME) return NOT_VALID;
    char *block = calloc(1, (size_t)lay_out(n, NULL, &r));
    if (!block) return NO_MEMORY;
    lay_out(n, block, &r);
    for (; rows > 0; rows -= LANES) {
        const int64_t some = rows < LANES ? rows : LANES;
        for (int64_t i = 0; i < some; ++i) begin(r.glimpses + i, time, x + 2 * i * time, sigma[i]);
        glimpse_at(n->circle, n->weights, time, some, r.glimpses, &r.bins, &r.bench);
        for (int64_t i = 0; i < some; ++i) {
            show(r.glimpses + i, time, &(struct shown){r.seen, r.candidates, r.reference}, scalars);
            run_net(n, n->weights + FILTER_WEIGHTS, time, scalars, &r, f + 2 * i * time, log_variance + i * time);
        }
        x += 2 * some * time, sigma += some, f += 2 * some * time, log_variance += some * time;
    }
    free(block);
    return DONE;
}

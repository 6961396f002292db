/* What Python calls, once for each variant; shapes stand in compiled_sums.py, which has checked them. */
#include "spectra.h"
#include "../../likelihood/loops/exports.h"

enum status { DONE = 0, NO_MEMORY = 1, NOT_VALID = 2 };

/* Bytes of room for frames of n_fft samples of so many channels. */
EXPORT int64_t NAME(band_room)(int64_t channels, int64_t n_fft)
{
    return (int64_t)sizeof(cvec) * (channels * (n_fft + 2 * FINE) + 1);
}

/* Frames first to last of a band, added to the sums. */
EXPORT int NAME(band_sums)(const struct band *b, int64_t first, int64_t last, char *room, const struct sums *out)
{
    if (!valid(b) || first < 0) return NOT_VALID;
    cvec *x = (cvec *)(room + (sizeof(cvec) - (uintptr_t)room % sizeof(cvec)) % sizeof(cvec));
    for (; first < last; first += LANES)
        add_frames(b, first, last - first < LANES ? last - first : LANES, x, x + b->channels * b->n_fft, out);
    return DONE;
}

/* Of `count` complex samples: their sum, and the least and the greatest part; NaN or infinite where a sample is. */
EXPORT int NAME(band_levels)(int64_t count, const float *samples, double *total, float *range)
{
    const int64_t block = 64 * LANES, size = 2 * count;
    float low = INFINITY, high = -INFINITY;
    total[0] = total[1] = 0;
    for (int64_t start = 0; start < size; start += block) {
        vec some = all(0), least = all(INFINITY), most = all(-INFINITY);
        int64_t i = start;
        const int64_t stop = size - start < block ? size : start + block;
        for (; i + LANES <= stop; i += LANES) {
            vec v;
            memcpy(&v, samples + i, sizeof v);
            some += v;
            least = select(v < least, v, least);
            most = select(v > most, v, most);
        }
        for (int l = 0; l < LANES; ++l) {
            total[l % 2] += some[l];
            low = least[l] < low ? least[l] : low;
            high = most[l] > high ? most[l] : high;
        }
        for (; i < stop; ++i) {
            total[i % 2] += samples[i];
            low = samples[i] < low ? samples[i] : low;
            high = samples[i] > high ? samples[i] : high;
        }
    }
    range[0] = low, range[1] = high;
    return DONE;
}

/* The variant that every machine runs, and the list of those that this one can. */
#define VARIANT plain
#define REGISTER_BYTES 16
#include "entries.h"
#include "exceeds.h"
#include "../../likelihood/loops/choice.h"

/* Of matrices (count, N, N) complex, into out (count). */
EXPORT int doamc_exceeds(int64_t count, int64_t n, const double *matrices, double value, uint8_t *out)
{
    double root[2 * MOST_CHANNELS * MOST_CHANNELS];
    if (n < 1 || n > MOST_CHANNELS) return NOT_VALID;
    for (int64_t k = 0; k < count; ++k) out[k] = (uint8_t)exceeds(n, matrices + 2 * k * n * n, value, root);
    return DONE;
}

/* Number of this interface, and the size of its largest structure: what compiled_sums.py was written for. */
EXPORT int64_t doamc_interface(void) { return 1000 * 2 + (int64_t)sizeof(struct band); }

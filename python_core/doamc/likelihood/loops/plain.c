/* The variant that every machine runs, and the list of those that this one can. */
#define VARIANT plain
#define LANES 2
#include "entries.h"

/* Names of the variants compiled in that this processor runs, the best last, separated by spaces. */
EXPORT const char *doamc_variants(void)
{
#if DOAMC_X86
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? "plain avx2 avx512" : "plain avx2";
#endif
    return "plain";
}

/* Number of this interface, and the size of its largest structure: what kernels.py was written for. */
EXPORT int64_t doamc_interface(void) { return 1000 * 3 + (int64_t)sizeof(struct model); }

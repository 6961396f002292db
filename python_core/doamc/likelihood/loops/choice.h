/* Which variants this processor runs; for the file of the plain variant alone. */
#ifndef DOAMC_CHOICE_H
#define DOAMC_CHOICE_H

#include "exports.h"

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

#endif

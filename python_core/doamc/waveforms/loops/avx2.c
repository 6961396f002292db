/* The variant of processors with AVX2 and fused multiplication and addition. */
#include "../../likelihood/loops/variants.h"
#if DOAMC_X86
#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VARIANT avx2
#define LANES 8
#include "entries.h"
#if defined __clang__
#pragma clang attribute pop
#endif
#else
typedef int nothing_to_compile;
#endif

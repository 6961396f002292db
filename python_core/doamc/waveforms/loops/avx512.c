/* The variant of processors with AVX512. */
#include "../../likelihood/loops/variants.h"
#if DOAMC_X86
#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,avx512f,avx512dq")
#endif
#define VARIANT avx512
#define LANES 16
#include "entries.h"
#if defined __clang__
#pragma clang attribute pop
#endif
#else
typedef int nothing_to_compile;
#endif

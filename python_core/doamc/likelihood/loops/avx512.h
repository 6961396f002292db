/* What begins the variant of processors with AVX512; end_of_variant.h ends it. */
#include "variants.h"
#if DOAMC_X86
#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,avx512f,avx512dq")
#endif
#define VARIANT avx512
#define REGISTER_BYTES 64
#endif

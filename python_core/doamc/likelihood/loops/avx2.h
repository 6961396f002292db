/* What begins the variant of processors with AVX2 and fused multiplication and addition; end_of_variant.h ends it. */
#include "variants.h"
#if DOAMC_X86
#if defined __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif
#define VARIANT avx2
#define REGISTER_BYTES 32
#endif

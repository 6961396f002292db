/* The variant of processors with AVX2 and fused multiplication and addition. */
#include "avx2.h"
#if DOAMC_X86
#include "entries.h"
#include "closed_entries.h"
#include "end_of_variant.h"
#endif

/* The variant of processors with AVX512. */
#include "avx512.h"
#if DOAMC_X86
#include "entries.h"
#include "closed_entries.h"
#include "end_of_variant.h"
#endif

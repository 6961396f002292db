/* The variant of processors with AVX2 and fused multiplication and addition. */
#include "../../likelihood/loops/avx2.h"
#if DOAMC_X86
#include "entries.h"
#include "../../likelihood/loops/end_of_variant.h"
#endif

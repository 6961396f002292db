/* The variant of processors with AVX512. */
#include "../../likelihood/loops/avx512.h"
#if DOAMC_X86
#include "entries.h"
#include "../../likelihood/loops/end_of_variant.h"
#endif

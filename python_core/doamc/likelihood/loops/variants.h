/* Whether this compiler makes code for one of x86's instruction sets in one file, whatever the rest is made for. */
#ifndef DOAMC_VARIANTS_H
#define DOAMC_VARIANTS_H

/* before a variant names its instructions, which are for our functions alone */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined __x86_64__ && (defined __GNUC__ || defined __clang__)
#define DOAMC_X86 1
#else
#define DOAMC_X86 0
#endif

#endif

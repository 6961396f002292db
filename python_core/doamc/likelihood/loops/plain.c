/* The variant that every machine runs, and the list of those that this one can. */
#define VARIANT plain
#define REGISTER_BYTES 16
#include "entries.h"
#include "closed_entries.h"
#include "choice.h"

/* Number of this interface, and the size of its largest structure: what kernels.py was written for. */
EXPORT int64_t doamc_interface(void) { return 1000 * 5 + (int64_t)sizeof(struct model); }

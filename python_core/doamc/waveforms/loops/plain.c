/* The variant that every machine runs, and the list of those that this one can. */
#define VARIANT plain
#define REGISTER_BYTES 16
#include "entries.h"
#include "../../likelihood/loops/choice.h"

/* Number of this interface, and the size of its structure: what net_loops.py was written for. */
EXPORT int64_t doamc_interface(void) { return 1000 * 1 + (int64_t)sizeof(struct net); }

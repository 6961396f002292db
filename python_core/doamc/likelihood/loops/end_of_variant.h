/* What ends a variant of an instruction set of its own. */
#if defined __clang__
#pragma clang attribute pop
#endif

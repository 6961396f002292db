/* Choice between lanes, and complex numbers in them, in whatever precision: vec and mask are those of a lanes.h. */
#ifndef DOAMC_COMPLEX_LANES_H
#define DOAMC_COMPLEX_LANES_H

typedef struct { vec re, im; } cvec;

INLINE vec select(mask where, vec yes, vec no) { return (vec)(((mask)yes & where) | ((mask)no & ~where)); }

INLINE cvec add(cvec a, cvec b) { return (cvec){a.re + b.re, a.im + b.im}; }
INLINE cvec sub(cvec a, cvec b) { return (cvec){a.re - b.re, a.im - b.im}; }
INLINE cvec mul(cvec a, cvec b) { return (cvec){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

#endif

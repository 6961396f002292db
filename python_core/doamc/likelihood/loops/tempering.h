/* The inverse temperature at which weights have an effective sample size (see tempering.py). */
#ifndef DOAMC_TEMPERING_H
#define DOAMC_TEMPERING_H

#include "elementary.h"

/* Whether weights exp(beta (value - top)) of values (S) have more than the effective sample size. */
INLINE int enough(const double *value, int64_t chains, double top, double beta, double effective)
{
    vec total = all(0), square = all(0);
    for (int64_t s = 0; s < chains; s += LANES) {
        vec v = load(value + s, chains - s);
        for (int64_t l = chains - s; l < LANES; ++l) v[l] = -INFINITY;
        const vec weight = exp_of(beta * greatest(v - top, all(-1e12)));
        total += weight;
        square += weight * weight;
    }
    return sum(square) * effective < sum(total) * sum(total);
}

INLINE double temper(const double *value, int64_t chains, double effective, double most)
{
    double top = -INFINITY, low = -30, high = log_of(all(most))[0];
    for (int64_t s = 0; s < chains; ++s) top = value[s] > top ? value[s] : top;
    if (enough(value, chains, top, most, effective)) return most;
    for (int step = 0; step < 19; ++step) {
        const double middle = 0.5 * (low + high);
        if (enough(value, chains, top, exp_of(all(middle))[0], effective)) low = middle;
        else high = middle;
    }
    return exp_of(all(low))[0];
}

#endif

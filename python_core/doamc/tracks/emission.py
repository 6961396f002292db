"""Whether an emitter exists and is on the air: it may fall silent and come back without being another one.

On and off follow each other as a Markov process in continuous time; what exists lives for a mean time. An emitter that
is off is not missed, so a fade or the pause of a time slot costs no existence, only a long silence does.
"""

import math

import numpy as np
from numpy.typing import NDArray

from doamc.tracks.options import TrackerOptions

Array = NDArray[np.float64]


def pass_time(
    exists: Array,  # shape: (T,)
    on: Array,  # shape: (T,), probability of on where it exists
    dt_s: float,
    o: TrackerOptions,
) -> tuple[Array, Array]:
    """Probabilities of existing, and of on where it exists, `dt_s` later."""
    steady = o.on_s / (o.on_s + o.off_s)
    kept = math.exp(-dt_s * (1 / o.on_s + 1 / o.off_s))
    return exists * math.exp(-dt_s / o.lifetime_s), steady + (on - steady) * kept


def after_slice(
    exists: Array,  # shape: (T,), before the slice
    on: Array,  # shape: (T,)
    missed: Array,  # shape: (T,), probability that no sighting is its own, as the association gives it
    detected: float,
) -> tuple[Array, Array, Array]:
    """Existing, on where it exists, and the share of the unseen in what exists, after a slice; each (T,).

    A sighting proves an emitter that is on; without one Bayes' rule weighs silence, oversight and absence.
    """
    oversight = on * detected
    unseen = missed * exists * (1 - oversight) / (1 - exists * oversight)
    there = unseen + (1 - missed)
    on_unseen = on * (1 - detected) / (1 - oversight)
    return there, (unseen * on_unseen + (1 - missed)) / there, unseen / there

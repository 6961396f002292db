"""Which sighting is whose: marginal probabilities by belief propagation.

Each emitter has at most one sighting in a slice, each sighting at most one emitter. The messages converge always, and
are exact where the graph of gated pairs has no loop (Williams and Lau 2014, "Approximate evaluation of marginal
association probabilities with belief propagation", eq. (25)-(30)).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def marginals(
    ratio: Array,  # shape: (T, M), likelihood of "sighting m is of emitter t" over "of neither side", >= 0
    rounds: int = 200,
    tolerance: float = 1e-4,
) -> tuple[Array, Array, Array]:
    """Probabilities of each pair (T, M), of no sighting (T,), and of no emitter known (M,)."""
    t, m = ratio.shape
    if not t or not m:
        return np.zeros((t, m)), np.ones(t), np.ones(m)
    back = np.ones((t, m))
    for _ in range(rounds):
        weighed = ratio * back
        forth = ratio / (1 + weighed.sum(1, keepdims=True) - weighed)
        new = 1 / (1 + forth.sum(0) - forth)
        done = np.abs(new - back).max() < tolerance
        back = new
        if done:
            break
    weighed = ratio * back
    total = 1 + weighed.sum(1, keepdims=True)
    forth = ratio / (total - weighed)
    return weighed / total, 1 / total[:, 0], 1 / (1 + forth.sum(0))

"""Which sighting is whose: marginal probabilities of pairs.

Each emitter has at most one sighting in a slice, each sighting at most one emitter. Belief propagation converges
always, and is exact where the graph of gated pairs has no loop (Williams and Lau 2014, "Approximate evaluation of
marginal association probabilities with belief propagation", eq. (25)-(30)). Where it has, as when two emitters cross,
its probabilities are too even, and tracks exchange identities; small groups are enumerated instead.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

Array = NDArray[np.float64]

GATE = 1e-4  #: ratio below which a pair does not count
MOST = 500  #: assignments of a group that are enumerated; more go by belief propagation


def marginals(
    ratio: Array,  # shape: (T, M), likelihood of "sighting m is of emitter t" over "of neither side", >= 0
) -> tuple[Array, Array, Array]:
    """Probabilities of each pair (T, M), of no sighting (T,), and of no emitter known (M,)."""
    ratio = np.where(ratio < GATE, 0.0, ratio)
    pair, missed, strange = propagated(ratio)
    for rows, columns in _loops(ratio > 0):
        pair[np.ix_(rows, columns)] = own = enumerated(ratio[np.ix_(rows, columns)])
        missed[rows], strange[columns] = 1 - own.sum(1), 1 - own.sum(0)
    return pair, missed, strange


def enumerated(ratio: Array) -> Array:
    """Probabilities of pairs (T, M) by the sum over all assignments."""
    t, m = ratio.shape
    pair: Array = np.zeros((t, m))
    total = 0.0
    for choice in itertools.product(*([-1, *_numbers(row)] for row in ratio)):
        used = [(i, j) for i, j in enumerate(choice) if j >= 0]
        if len({j for _, j in used}) == len(used):
            weight = math.prod(float(ratio[i, j]) for i, j in used)
            total += weight
            for i, j in used:
                pair[i, j] += weight
    return np.asarray(pair / total)


def _numbers(row: npt.ArrayLike) -> list[int]:
    """Where a row is not zero."""
    return [int(i) for i in np.flatnonzero(row)]


def _loops(gated: NDArray[np.bool_]) -> Iterator[tuple[list[int], list[int]]]:
    """Emitters and sightings of each group of gated pairs that has two of both or more, and few assignments."""
    left = set(_numbers(gated.sum(1) > 1))
    while left:
        rows, columns = {left.pop()}, set[int]()
        grown = True
        while grown:
            columns = set(_numbers(gated[sorted(rows)].any(0)))
            more = set(_numbers(gated[:, sorted(columns)].any(1)))
            grown, rows = more != rows, more
        left -= rows
        few = math.prod(int(n) + 1 for n in gated[sorted(rows)].sum(1)) <= MOST
        if len(rows) > 1 and len(columns) > 1 and few:
            yield sorted(rows), sorted(columns)


def propagated(ratio: Array, rounds: int = 200, tolerance: float = 1e-4) -> tuple[Array, Array, Array]:
    """The same three by belief propagation."""
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

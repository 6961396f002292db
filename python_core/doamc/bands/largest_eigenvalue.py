"""How large the largest eigenvalue of a sample covariance of noise may be: the threshold of the detector.

For L independent snapshots of N channels of unit noise, the eigenvalues x of L R are those of a complex Wishart matrix;
their density is that of the Laguerre ensemble, the sum over k < N of the squares of

    phi_k(x) = sqrt(k! / Gamma(k + a + 1)) x^(a/2) exp(-x/2) L_k^a(x),     a = L - N

The expected number of eigenvalues above x bounds the probability that the largest is, and equals it in the tail, where
a second one never is ([Forrester]).
"""

import math
from functools import lru_cache

import numpy as np

from doamc.errors import SnapshotError


@lru_cache(maxsize=256)
def eigenvalue_threshold(probability: float, n_channels: int, snapshots: float) -> float:
    """Value that the largest eigenvalue of R exceeds with so small a probability, for unit noise.

    snapshots: L >= N, need not be whole. Raises SnapshotError where there are fewer than channels.
    """
    if snapshots < n_channels:
        raise SnapshotError(
            f"expected at least as many independent snapshots as channels, {n_channels}, in a bin and slice, found "
            f"{snapshots:.1f}; take longer slices (--slice) or wider bins (--resolution)"
        )
    edge = (1 + math.sqrt(n_channels / snapshots)) ** 2
    low, high = 1.0, edge + 2 - 4 * math.log(probability) / snapshots
    for _ in range(60):
        middle = (low + high) / 2
        above = expected_above(middle, n_channels, snapshots) > probability
        low, high = (middle, high) if above else (low, middle)
    return high


def expected_above(value: float, n_channels: int, snapshots: float) -> float:
    """Expected number of eigenvalues of R above a value, for unit noise."""
    a, scale = snapshots - n_channels, math.sqrt(snapshots)
    x = value * snapshots + np.linspace(0.0, 14 * scale + 80, 4001)
    with np.errstate(under="ignore"):
        phi, before, density = np.exp((a * np.log(x) - x - math.lgamma(a + 1)) / 2), np.zeros_like(x), np.zeros_like(x)
        for k in range(n_channels):
            density += phi * phi
            step = (2 * k + 1 + a - x) * phi - math.sqrt(k * (k + a)) * before
            phi, before = step / math.sqrt((k + 1) * (k + 1 + a)), phi
    return float(((density[1:] + density[:-1]) / 2).sum() * (x[1] - x[0]))

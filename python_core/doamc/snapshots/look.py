"""What one look at all samples of a batch finds, for everybody who asks: impulses, offsets, correlation in time."""

from typing import NamedTuple

import numpy as np


class Look(NamedTuple):
    """Of samples y (B, N, L); sums are over time.

    power: (B, N, 3), sum of |y|^2, sum of its squares, its greatest. total: (B, N), sum of y. lag: (B, N, N), the sum
    of y_i(t + 1) y_j(t)^*. heard: (B,), number of snapshots that are not zero in all channels. calm: (B,) bool, whether
    no sample can be an impulse (`snapshots.impulses`).
    """

    power: np.ndarray
    total: np.ndarray
    lag: np.ndarray
    heard: np.ndarray
    calm: np.ndarray

    def of(self, index: int) -> "Look":
        """Of one observation, without the dimension B."""
        return Look(*(part[index] for part in self))

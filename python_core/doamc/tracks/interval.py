"""Central intervals of a mixture on the circle."""

import math

import numpy as np
from numpy.typing import NDArray

from doamc.tracks.mixture import Mixture

Array = NDArray[np.float64]


def quantiles(mixture: Mixture, share: float, extra_std: float) -> Array:
    """Ends of the central interval that holds `share`, about the centre in rad, (T, 2).

    `extra_std` in rad is of an error that all slices share: it widens every component. By bisection on the sum of the
    components' distribution functions, within half a turn of the centre.
    """
    std = np.sqrt(mixture.cov[..., 0, 0] + extra_std**2)
    middle = mixture.deviations()
    ends = np.empty((len(std), 2))
    erf = np.vectorize(math.erf, otypes=[float])  # NumPy has none
    for side, p in enumerate(((1 - share) / 2, (1 + share) / 2)):
        low: Array = np.full(len(std), -math.pi)
        high: Array = np.full(len(std), math.pi)
        for _ in range(30):
            x = (low + high) / 2
            below = (mixture.weight * (1 + erf((x[:, None] - middle) / (std * math.sqrt(2)))) / 2).sum(1)
            low, high = np.where(below < p, x, low), np.where(below < p, high, x)
        ends[:, side] = (low + high) / 2
    return ends

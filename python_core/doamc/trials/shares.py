"""Intervals of shares that were counted."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

NORMAL_95 = 1.959964  #: half-width of the central 95 % of a normal distribution, in standard deviations
Values = TypeVar("Values", float, NDArray[np.float64])


def share_band(share: Values, trials: Values) -> tuple[Values, Values]:
    """95 % interval of a share of so many trials (Wilson, J. Am. Stat. Assoc. 22, 1927)."""
    middle = (share + NORMAL_95**2 / (2 * trials)) / (1 + NORMAL_95**2 / trials)
    spread = np.sqrt(share * (1 - share) / trials + NORMAL_95**2 / (4 * trials**2))
    half = NORMAL_95 / (1 + NORMAL_95**2 / trials) * spread
    return middle - half, middle + half

"""Langevin dynamics at one noise level, [Chan] eqs. (68) and (88): x <- x + tau s + sqrt(2 tau) z.

Its steps are all taken at the last, least noisy point of the grid; the others only say how many there are. It
reaches the law of x_t there in the limit of many short steps, from any start, and is slow wherever that law is
narrow or has several modes.
"""

import math
from collections.abc import Sequence

from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.linear_step import LinearSampler, LinearStep
from doamc.errors import SamplerError


def langevin_step(alpha: float, sigma: float, size: float) -> LinearStep:
    """Factors of one step of length tau = size sigma^2, with s = (alpha D - x) / sigma^2."""
    return alpha, sigma, 1 - size, alpha * size, sigma * math.sqrt(2 * size)


class Langevin(LinearSampler):
    """size: length of a step in units of sigma^2, in (0, 1].

    For x_t of variance v the variance that it settles at is too large by the factor 1 / (1 - size sigma^2 / (2 v)).
    """

    def __init__(self, size: float = 0.2) -> None:
        if not 0 < size <= 1:
            raise SamplerError(f"size of a Langevin step must lie in (0, 1], found {size}")
        self.size = size

    def plan(self, grid: Grid) -> Sequence[LinearStep]:
        """The same step, as often as the grid has steps."""
        return [langevin_step(grid.alpha[-1], grid.sigma[-1], self.size)] * len(grid)

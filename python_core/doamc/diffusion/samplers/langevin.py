"""Langevin dynamics at one noise level, [Chan] eqs. (68) and (88): x <- x + tau s + sqrt(2 tau) z.

Its steps are all taken at the last, least noisy point of the grid; the others only say how many there are. It
reaches the law of x_t there in the limit of many short steps, from any start, and is slow wherever that law is
narrow or has several modes.
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError

#: alpha, sigma, factors of x, D and noise
LangevinStep = tuple[float, float, float, float, float]


def langevin_step(alpha: float, sigma: float, size: float) -> LangevinStep:
    """Factors of one step of length tau = size sigma^2, with s = (alpha D - x) / sigma^2."""
    return alpha, sigma, 1 - size, alpha * size, sigma * math.sqrt(2 * size)


def take(x: torch.Tensor, plan: LangevinStep, denoiser: Denoiser, noise: Noise) -> torch.Tensor:
    """One Langevin step."""
    alpha, sigma, keep, pull, of_noise = plan
    return torch.add(x * keep, denoiser(x, alpha, sigma), alpha=pull).add_(noise.draw(), alpha=of_noise)


class Langevin(Sampler):
    """size: length of a step in units of sigma^2, in (0, 1].

    For x_t of variance v the variance that it settles at is too large by the factor 1 / (1 - size sigma^2 / (2 v)).
    """

    stochastic = True

    def __init__(self, size: float = 0.2) -> None:
        if not 0 < size <= 1:
            raise SamplerError(f"size of a Langevin step must lie in (0, 1], found {size}")
        self.size = size

    def plan(self, grid: Grid) -> Sequence[LangevinStep]:
        """The same step, as often as the grid has steps."""
        return [langevin_step(grid.alpha[-1], grid.sigma[-1], self.size)] * len(grid)

    def step(
        self, x: torch.Tensor, plan: LangevinStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One step at the last noise level."""
        assert noise is not None
        return take(x, plan, denoiser, noise)

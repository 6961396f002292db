"""Annealed Langevin dynamics (SMLD): some Langevin steps of length size sigma^2 at every noise level of the grid.

[Song-Ermon] algorithm 1, whose alpha_i = eps sigma_i^2 / sigma_L^2 and step alpha_i / 2
are size = eps / (2 sigma_L^2) here.
"""

from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.langevin import langevin_step
from doamc.diffusion.samplers.linear_step import LinearStep, take
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


class AnnealedLangevin(Sampler):
    """inner: steps a level; size: their length in units of sigma^2, in (0, 1]."""

    stochastic = True

    def __init__(self, inner: int = 5, size: float = 0.2) -> None:
        if inner < 1 or not 0 < size <= 1:
            raise SamplerError(f"expected inner >= 1 and size in (0, 1], found {inner} and {size}")
        self.calls, self.size = inner, size  # type: ignore[misc]

    def plan(self, grid: Grid) -> Sequence[tuple[float, LinearStep]]:
        """Rescaling to the next level, and the step that is repeated there."""
        return [
            (grid.alpha[k + 1] / grid.alpha[k], langevin_step(grid.alpha[k + 1], grid.sigma[k + 1], self.size))
            for k in range(len(grid))
        ]

    def step(
        self,
        x: torch.Tensor,
        plan: tuple[float, LinearStep],
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],
    ) -> torch.Tensor:
        """All steps of one level."""
        assert noise is not None
        x = x * plan[0]
        for _ in range(self.calls):
            x = take(x, plan[1], denoiser, noise)
        return x

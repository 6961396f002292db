"""Predictor-corrector: an ancestral step to the next level, then Langevin steps there.

[Chan] eqs. (109)-(110), with beta_i s in the ancestral step and sqrt(2 eps) in the corrector.
"""

from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler, pairs
from doamc.diffusion.samplers.ddpm import ancestral_step
from doamc.diffusion.samplers.langevin import langevin_step
from doamc.diffusion.samplers.linear_step import LinearStep, take
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


class PredictorCorrector(Sampler):
    """corrections: Langevin steps a level; ratio: r of [Song-SDE] algorithm 5.

    Their step eps = 2 (r |z| / |s|)^2 takes norms over the whole batch; with |s| = |z| / sigma as it is for x_t it is
    2 r^2 sigma^2, which depends on nothing but the level and is used here.
    """

    stochastic = True

    def __init__(self, corrections: int = 1, ratio: float = 0.16) -> None:
        if corrections < 1 or not 0 < 2 * ratio**2 <= 1:
            raise SamplerError(f"expected corrections >= 1 and ratio in (0, 0.7], found {corrections} and {ratio}")
        self.calls, self.size = 1 + corrections, 2 * ratio**2  # type: ignore[misc]

    def plan(self, grid: Grid) -> Sequence[tuple[LinearStep, LinearStep]]:
        """Factors of predictor and corrector."""
        return [(ancestral_step(*p), langevin_step(p[2], p[3], self.size)) for p in pairs(grid)]

    def step(
        self,
        x: torch.Tensor,
        plan: tuple[LinearStep, LinearStep],
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],
    ) -> torch.Tensor:
        """Predict, then correct."""
        assert noise is not None
        x = take(x, plan[0], denoiser, noise)
        for _ in range(self.calls - 1):
            x = take(x, plan[1], denoiser, noise)
        return x

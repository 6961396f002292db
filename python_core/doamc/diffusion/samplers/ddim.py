"""DDIM with eta, eqs. (32)-(33): eta = 0 is deterministic (and DPM-Solver-1), eta = 1 is ancestral sampling."""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler, pairs
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


class Ddim(Sampler):
    """Factors as in `doamc.diffusion.ddim_step`, gathered into one each for x_t, x_0 and noise."""

    order = 1

    def __init__(self, eta: float = 0.0) -> None:
        if not 0 <= eta <= 1:
            raise SamplerError(f"eta must lie in 0..1, found {eta}")
        self.eta = eta
        self.stochastic = eta > 0  # type: ignore[misc]

    def plan(self, grid: Grid) -> Sequence[tuple[float, float, float, float, float]]:
        """Factors of every step."""
        steps = []
        for alpha_t, sigma_t, alpha_s, sigma_s in pairs(grid):
            # (w sigma_t / sigma_s)^2 = eta^2 (1 - (alpha_t sigma_s / (alpha_s sigma_t))^2 ...) in a form good for
            # any schedule
            fresh = max(0.0, sigma_t**2 - (alpha_t / alpha_s * sigma_s) ** 2) / sigma_t**2
            w = self.eta * sigma_s * math.sqrt(fresh)
            keep = math.sqrt(max(0.0, sigma_s**2 - w * w)) / sigma_t
            steps.append((alpha_t, sigma_t, keep, alpha_s - alpha_t * keep, w))
        return steps

    def step(
        self,
        x: torch.Tensor,
        plan: tuple[float, float, float, float, float],
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],
    ) -> torch.Tensor:
        """Keep a share of the noise that x_t has, draw the rest."""
        alpha, sigma, keep, pull, spread = plan
        x = torch.add(x * keep, denoiser(x, alpha, sigma), alpha=pull)
        return x if noise is None or spread == 0 else x.add_(noise.draw(), alpha=spread)

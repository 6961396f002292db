"""Ancestral sampling of DDPM: draw from q(x_s | x_t, x_0) with x_0 replaced by its mean.

[Ho-Jain-Abbeel] algorithm 2; [Luo-Fung] eqs. (41)-(42), corrected.
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler, pairs
from doamc.diffusion.samplers.noise import Noise

#: alpha_t, sigma_t, and the factors of x_t, x_0 and noise
AncestralStep = tuple[float, float, float, float, float]


def ancestral_step(alpha_t: float, sigma_t: float, alpha_s: float, sigma_s: float) -> AncestralStep:
    """Factors of q(x_s | x_t, x_0), from eqs. (41)-(42) with a = alpha_t / alpha_s, v = sigma_t^2 - a^2 sigma_s^2.

    Mean (a sigma_s^2 x_t + alpha_s v x_0) / sigma_t^2, variance sigma_s^2 v / sigma_t^2; in DDPM's words a^2 is
    alpha_t, v its beta_t. Written for any (alpha, sigma), so that VE schedules have their ancestral sampler too.
    """
    a = alpha_t / alpha_s
    v = max(0.0, sigma_t**2 - (a * sigma_s) ** 2)
    return alpha_t, sigma_t, a * sigma_s**2 / sigma_t**2, alpha_s * v / sigma_t**2, sigma_s / sigma_t * math.sqrt(v)


class Ddpm(Sampler):
    """DDPM; the same chain as DDIM with eta = 1."""

    order, stochastic = 1, True

    def plan(self, grid: Grid) -> Sequence[AncestralStep]:
        """Factors of every step."""
        return [ancestral_step(*pair) for pair in pairs(grid)]

    def step(
        self,
        x: torch.Tensor,
        plan: AncestralStep,
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],
    ) -> torch.Tensor:
        """One draw of q(x_s | x_t, x_0)."""
        assert noise is not None
        alpha, sigma, keep, pull, of_noise = plan
        x_0 = denoiser(x, alpha, sigma)
        return torch.add(x * keep, x_0, alpha=pull).add_(noise.draw(), alpha=of_noise)

"""DDIM with eta, [Luo-Fung] eqs. (32)-(33): eta = 0 is deterministic (and DPM-Solver-1), eta = 1 is ancestral sampling.

    x_s = alpha_s x_0 + sqrt(sigma_s^2 - w^2) eps + w z,      eps = (x_t - alpha_t x_0) / sigma_t

[Song-Meng-Ermon] eq. (12); eps is eq. (32). With a = alpha_t / alpha_s and any schedule,
w^2 = eta^2 sigma_s^2 (sigma_t^2 - a^2 sigma_s^2) / sigma_t^2; eta = 1 is eq. (42), corrected.
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler, pairs
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


class Ddim(Sampler):
    """First order; eta in [0, 1]: share of the noise of a step that is drawn anew."""

    order = 1

    def __init__(self, eta: float = 0.0) -> None:
        if not 0 <= eta <= 1:
            raise SamplerError(f"eta must lie in 0..1, found {eta}")
        self.eta = eta
        self.stochastic = eta > 0  # type: ignore[misc]

    def plan(self, grid: Grid) -> Sequence[tuple[float, float, float, float, float]]:
        """alpha_t, sigma_t, and the factors of x_0, eps and z in x_s, of every step."""
        steps = []
        for alpha_t, sigma_t, alpha_s, sigma_s in pairs(grid):
            fresh = max(0.0, sigma_t**2 - (alpha_t / alpha_s * sigma_s) ** 2) / sigma_t**2
            w = self.eta * sigma_s * math.sqrt(fresh)
            kept = math.sqrt(max(0.0, sigma_s * sigma_s - w * w))
            steps.append((alpha_t, sigma_t, alpha_s, kept, w))
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
        alpha, sigma, of_mean, of_eps, of_noise = plan
        x_0 = denoiser(x, alpha, sigma)
        eps = (x - alpha * x_0) / sigma
        x = of_mean * x_0 + of_eps * eps
        return x if noise is None or of_noise == 0 else x + of_noise * noise.draw()

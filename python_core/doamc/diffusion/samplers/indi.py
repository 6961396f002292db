"""InDI, inversion by direct denoising: from y = x_0 + n straight to x_0.

[Delbracio-Milanfar], as [Chan] eqs. (62)-(67) have it:

    x_t = (1 - t) x_0 + t y + t sigma_t z,    t from 1 to 0
    x_{t-tau} = (1 - tau/t) x_t + tau/t D(x_t) + (t - tau) sqrt(sigma_{t-tau}^2 - sigma_t^2) z

In x_t the noise of y has shrunk to t sigma_y, so InDI is a walk down a VE grid that starts at y. Deterministic InDI
(sigma_t = 0) gives one estimate for one y, no samples. The stochastic variant takes sigma_t = path_std / sqrt(t), a
Brownian path whose noise t sigma_t vanishes with t; the text at (67) should read t sigma_t, as (66) has it.
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


def indi_grid(noise_std: float, n_steps: int, path_std: float = 0.0) -> Grid:
    """t = 1, ..., 1/n, 0 with all the noise that x_t has: sigma = sqrt((t sigma_y)^2 + t path_std^2)."""
    if noise_std <= 0 or n_steps < 1 or path_std < 0:
        raise SamplerError(
            f"expected noise_std > 0, n_steps >= 1, path_std >= 0, found {[noise_std, n_steps, path_std]}"
        )
    t = [1 - k / n_steps for k in range(n_steps)] + [0.0]
    sigma = tuple(math.sqrt((v * noise_std) ** 2 + v * path_std**2) for v in t)
    return Grid(tuple(t), (1.0,) * len(t), sigma)


class Indi(Sampler):
    """Run on an `indi_grid` with the same path_std, from `start`."""

    order = 1

    def __init__(self, path_std: float = 0.0) -> None:
        self.path_std = path_std
        self.stochastic = path_std > 0  # type: ignore[misc]

    def start(self, y: torch.Tensor, noise: Noise | None = None) -> torch.Tensor:
        """x_1 = y + sigma_1 z."""
        return y if noise is None or self.path_std == 0 else y + self.path_std * noise.draw()

    def plan(self, grid: Grid) -> Sequence[tuple[float, float, float, float]]:
        """sigma, and the factors of x_t, D and noise."""
        steps = []
        for k in range(len(grid)):
            keep = grid.t[k + 1] / grid.t[k]
            of_noise = self.path_std * grid.t[k + 1] * math.sqrt(1 / grid.t[k + 1] - 1 / grid.t[k])
            steps.append((grid.sigma[k], keep, 1 - keep, of_noise))
        return steps

    def step(
        self,
        x: torch.Tensor,
        plan: tuple[float, float, float, float],
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],
    ) -> torch.Tensor:
        """[Chan] eq. (66)."""
        sigma, keep, pull, of_noise = plan
        x = torch.add(x * keep, denoiser(x, 1.0, sigma), alpha=pull)
        return x if noise is None or of_noise == 0 else x.add_(noise.draw(), alpha=of_noise)

"""Ancestral sampling of DDPM: draw from q(x_s | x_t, x_0) with x_0 replaced by its mean.

[Ho-Jain-Abbeel] algorithm 2; [Luo-Fung] eqs. (41)-(42), corrected.
"""

import math
from collections.abc import Sequence

from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import pairs
from doamc.diffusion.samplers.linear_step import LinearSampler, LinearStep


def ancestral_step(alpha_t: float, sigma_t: float, alpha_s: float, sigma_s: float) -> LinearStep:
    """Factors of q(x_s | x_t, x_0), from eqs. (41)-(42) with a = alpha_t / alpha_s, v = sigma_t^2 - a^2 sigma_s^2.

    Mean (a sigma_s^2 x_t + alpha_s v x_0) / sigma_t^2, variance sigma_s^2 v / sigma_t^2; in DDPM's words a^2 is
    alpha_t, v its beta_t. Written for any (alpha, sigma), so that VE schedules have their ancestral sampler too.
    """
    a = alpha_t / alpha_s
    v = max(0.0, sigma_t**2 - (a * sigma_s) ** 2)
    return alpha_t, sigma_t, a * sigma_s**2 / sigma_t**2, alpha_s * v / sigma_t**2, sigma_s / sigma_t * math.sqrt(v)


class Ddpm(LinearSampler):
    """DDPM; the same chain as DDIM with eta = 1."""

    order = 1

    def plan(self, grid: Grid) -> Sequence[LinearStep]:
        """A draw of q(x_s | x_t, x_0) each."""
        return [ancestral_step(*pair) for pair in pairs(grid)]

"""Euler-Maruyama on the (guided) reverse SDE, [Luo-Fung] eqs. (13)-(16) with the sign of the bracket put right.

    x_{t - dt} = x_t + [-f x_t + g^2 s(x_t)] dt + g sqrt(dt) z,       s = (alpha D - x_t) / sigma^2

Guidance is in D: with `guidance.Likelihood` the drift holds lambda(t) sigma_y^-2 H^H (y - H x_0_hat) of eq. (15).
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.linear_step import LinearSampler, LinearStep
from doamc.errors import SamplerError


def sde_coefficients(grid: Grid) -> tuple[list[float], list[float]]:
    """f and g at every grid point; raises SamplerError where the grid does not know its schedule."""
    if grid.schedule is None:
        raise SamplerError("the SDE needs f(t) and g(t): expected a grid made from a schedule")
    t = torch.tensor(grid.t, dtype=torch.float64)
    return grid.schedule.drift(t).tolist(), grid.schedule.diffusion(t).tolist()


class EulerMaruyama(LinearSampler):
    """Weak order 1. Steps are steps of t, whatever the grid is uniform in."""

    order = 1

    def plan(self, grid: Grid) -> Sequence[LinearStep]:
        """A step against time each."""
        f, g = sde_coefficients(grid)
        steps = []
        for k in range(len(grid)):
            dt, alpha, sigma = grid.t[k] - grid.t[k + 1], grid.alpha[k], grid.sigma[k]
            rate = g[k] ** 2 / sigma**2
            steps.append((alpha, sigma, 1 - dt * (f[k] + rate), dt * rate * alpha, g[k] * math.sqrt(dt)))
        return steps

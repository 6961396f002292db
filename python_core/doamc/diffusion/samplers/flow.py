"""The probability-flow ODE by Runge-Kutta: Euler, Heun, classical RK4.

In t:        dx/dt = f x - g^2 s / 2                         ([Chan] section 4.5)
In log-SNR:  d(x / alpha) / d lambda = D - x / alpha,        lambda = log(alpha / sigma)

Both are the same curve. The second has no coefficient that changes by orders of magnitude along it, so it is the
default.
"""

from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.euler_maruyama import sde_coefficients
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError

#: of a stage: alpha, sigma, scale of the state, factors of state and D in the slope
Stage = tuple[float, float, float, float, float]
#: of a step: length, scale of the state before and after, its stages
FlowStep = tuple[float, float, float, tuple[Stage, ...]]


class FlowEuler(Sampler):
    """Euler's rule; base of the others, which differ by their Butcher tableau (nodes, rows, weights)."""

    order, calls = 1, 1
    nodes: tuple[float, ...] = (0.0,)
    rows: tuple[float, ...] = ()  # stage j starts from the slope of stage j - 1 alone: true of all three rules
    weights: tuple[float, ...] = (1.0,)

    def __init__(self, variable: str = "sigma") -> None:
        if variable not in ("sigma", "t"):
            raise SamplerError(f"variable must be sigma or t, found {variable!r}")
        self.variable = variable

    def _stages(self, grid: Grid) -> list[Stage]:
        if self.variable == "sigma":
            return [(a, s, a, a / s, -a / s) for a, s in zip(grid.alpha, grid.sigma, strict=True)]
        stages = []
        for f, g, alpha, sigma in zip(*sde_coefficients(grid), grid.alpha, grid.sigma, strict=True):
            rate = 0.5 * g**2 / sigma**2
            stages.append((alpha, sigma, 1.0, f + rate, -rate * alpha))
        return stages

    def plan(self, grid: Grid) -> Sequence[FlowStep]:
        """Stages of every step; nodes strictly between two points are evaluated on the schedule."""
        ends = self._stages(grid)
        at: dict[float, list[Stage]] = {0.0: ends[:-1], 1.0: ends[1:]}
        for node in self.nodes:
            if node not in at:
                at[node] = self._stages(grid.between(node, self.variable))
        where = grid.t if self.variable == "t" else [s / a for a, s in zip(grid.alpha, grid.sigma, strict=True)]
        return [
            (where[k + 1] - where[k], ends[k][2], ends[k + 1][2], tuple(at[node][k] for node in self.nodes))
            for k in range(len(grid))
        ]

    def step(
        self, x: torch.Tensor, plan: FlowStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One Runge-Kutta step."""
        length, scale, next_scale, stages = plan
        z = result = slope = x / scale
        for j, (alpha, sigma, size, own, pull) in enumerate(stages):
            point = z if j == 0 else torch.add(z, slope, alpha=length * self.rows[j - 1])
            slope = torch.add(point * own, denoiser(point * size, alpha, sigma), alpha=pull)
            result = torch.add(result, slope, alpha=length * self.weights[j])
        return result * next_scale


class FlowHeun(FlowEuler):
    """Heun's rule: the mean of the slopes at both ends."""

    order, calls = 2, 2
    nodes, rows, weights = (0.0, 1.0), (1.0,), (0.5, 0.5)


class FlowRk4(FlowEuler):
    """The classical fourth-order rule."""

    order, calls = 4, 4
    nodes, rows, weights = (0.0, 0.5, 0.5, 1.0), (0.5, 0.5, 1.0), (1 / 6, 1 / 3, 1 / 3, 1 / 6)

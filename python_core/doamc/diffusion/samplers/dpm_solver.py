"""DPM-Solver 1, 2, 3: single steps that integrate the linear part of the probability flow exactly.

    x_s = alpha_s / alpha_t x_t - alpha_s int e^-lambda eps(lambda) d lambda,    lambda = log(alpha / sigma)

with eps expanded around the start of the step; [Lu-solver] eqs. (3.7) and algorithms 1, 2.
The first is DDIM.
"""

import math
from collections.abc import Sequence

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise

#: of an evaluation of eps: alpha, sigma, then the factors with which the *next* state is made of x_t and the eps so
#: far
SolverStep = tuple[tuple[float, float, float, tuple[float, ...]], ...]


class DpmSolver1(Sampler):
    """First order; base of the others, which add inner points at fractions of the step in lambda."""

    order, calls = 1, 1
    fractions: tuple[float, ...] = ()

    @staticmethod
    def _weights(h: float) -> list[tuple[float, ...]]:
        """Factors (before -sigma of the point reached) of the eps so far, for every inner point and the end."""
        return [(math.expm1(h),)]

    def plan(self, grid: Grid) -> Sequence[SolverStep]:
        """Factors of every evaluation."""
        inner = [grid.between(r) for r in self.fractions]
        clock = grid.half_log_snr
        steps = []
        for k in range(len(grid)):
            points = [(grid.alpha[k], grid.sigma[k])]
            points += [(g.alpha[k], g.sigma[k]) for g in inner] + [(grid.alpha[k + 1], grid.sigma[k + 1])]
            rows = self._weights(clock[k + 1] - clock[k])
            steps.append(
                tuple(
                    (*points[j], points[j + 1][0] / points[0][0], tuple(-points[j + 1][1] * w for w in row))
                    for j, row in enumerate(rows)
                )
            )
        return steps

    def step(
        self, x: torch.Tensor, plan: SolverStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One step of `calls` evaluations."""
        state, found = x, []
        for alpha, sigma, keep, weights in plan:
            found.append(torch.sub(state, denoiser(state, alpha, sigma), alpha=alpha) * (1 / sigma))
            state = x * keep
            for eps, w in zip(found, weights, strict=True):
                state = torch.add(state, eps, alpha=w)
        return state


class DpmSolver2(DpmSolver1):
    """Second order: eps at the middle of the step (algorithm 1, r = 1/2)."""

    order, calls = 2, 2
    fractions = (0.5,)

    @staticmethod
    def _weights(h: float) -> list[tuple[float, ...]]:
        return [(math.expm1(h / 2),), (0.0, math.expm1(h))]


class DpmSolver3(DpmSolver1):
    """Third order: eps at one and two thirds of the step (algorithm 2)."""

    order, calls = 3, 3
    fractions = (1 / 3, 2 / 3)

    @staticmethod
    def _weights(h: float) -> list[tuple[float, ...]]:
        slope_two = 2 * (math.expm1(2 * h / 3) / (2 * h / 3) - 1)  # factor of eps_1 - eps_0
        slope_end = 1.5 * (math.expm1(h) / h - 1)  # factor of eps_2 - eps_0
        return [
            (math.expm1(h / 3),),
            (math.expm1(2 * h / 3) - slope_two, slope_two),
            (math.expm1(h) - slope_end, 0.0, slope_end),
        ]

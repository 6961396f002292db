"""DPM-Solver++ multistep, 2M and 3M: exponential Adams-Bashforth steps on D, one call each.

    x_s / sigma_s = x_t / sigma_t + int e^lambda D(lambda) d lambda,    lambda = log(alpha / sigma)

D is replaced by the polynomial through its last values, which is integrated against e^lambda exactly, for any
spacing of the grid. ([Lu-multistep] uses Taylor coefficients that agree to the order of the
method.)
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.noise import Noise

#: factor of the state, factors of D newest first
Factors = tuple[float, tuple[float, ...]]
#: alpha, sigma, factors of the step, and of the second go at the step before where there is one
MultiStep = tuple[float, float, Factors, Factors | None]


@lru_cache(maxsize=1)
def _quadrature() -> tuple[list[float], list[float]]:
    """Gauss-Legendre nodes and weights on (0, 1); 16 nodes are exact to round-off for steps up to 6 in lambda."""
    import numpy as np

    nodes, weights = np.polynomial.legendre.leggauss(16)
    return [float(0.5 * (x + 1)) for x in nodes], [float(0.5 * w) for w in weights]


def lagrange_weights(
    start: float, end: float, nodes: Sequence[float], density: Callable[[float], float]
) -> tuple[float, ...]:
    """int_start^end L_j(u) density(u) du for the Lagrange polynomials L_j on the nodes, each."""
    points, weights = _quadrature()
    totals = [0.0] * len(nodes)
    for point, weight in zip(points, weights, strict=True):
        u = start + (end - start) * point
        mass = (end - start) * weight * density(u)
        for j, own in enumerate(nodes):
            totals[j] += mass * math.prod((u - other) / (own - other) for i, other in enumerate(nodes) if i != j)
    return tuple(totals)


class DpmPlusPlus2M(Sampler):
    """Second order; the first step is a DDIM step."""

    order, calls = 2, 1

    def plan(self, grid: Grid) -> Sequence[MultiStep]:
        """Factors of every step."""
        clock = grid.half_log_snr

        def move(start: int, nodes: Sequence[int]) -> Factors:
            """From one point to the next with D interpolated on nodes."""
            end = clock[start + 1]
            weights = lagrange_weights(clock[start], end, [clock[k] for k in nodes], lambda u: math.exp(u - end))
            return grid.sigma[start + 1] / grid.sigma[start], tuple(grid.alpha[start + 1] * w for w in weights)

        return [
            (
                grid.alpha[k],
                grid.sigma[k],
                move(k, range(k, max(-1, k - self.order), -1)),
                move(0, (1, 0)) if k == 1 and self.order > 2 else None,
            )
            for k in range(len(grid))
        ]

    def step(
        self, x: torch.Tensor, plan: MultiStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """One step. memory: the state before, then D newest first."""
        alpha, sigma, factors, again = plan
        memory.insert(1, denoiser(x, alpha, sigma))
        if again is not None:
            x = self._combine(memory[0], again, memory)
        if len(memory) == 1:
            memory.insert(0, x)
        memory[0] = x
        del memory[self.order + 1 :]
        return self._combine(x, factors, memory)

    @staticmethod
    def _combine(x: torch.Tensor, factors: Factors, memory: list[torch.Tensor]) -> torch.Tensor:
        x = x * factors[0]
        for x_0, w in zip(memory[1:], factors[1], strict=True):
            x = torch.add(x, x_0, alpha=w)
        return x


class DpmPlusPlus3M(DpmPlusPlus2M):
    """Third order. The first step is taken again when D is known at its end.

    A DDIM step alone would leave an error of second order there, which no later step removes.
    """

    order = 3

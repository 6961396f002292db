"""Exponential Adams predictor-corrector, one call a step: the multistep solver to choose.

In X = x / sigma and q = alpha / sigma the probability flow is dX / dq = D. Three things make few steps go far:

* D is interpolated as a polynomial not in log q but in u = log(1 + q / knee), in which it is smooth at both ends:
  it is linear in q where the noise hides the signal, and settles like 1 / q^2 where it does not;
* when D has been evaluated at the predicted state, the step that led there is taken again with it (Adams-Moulton,
  as UniPC does, [Zhao]), at no further call;
* the weights are exact integrals, for any grid.

Steps are of fourth order, but the first, which has one D to go by, is of third, and its error stays.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.base import Sampler
from doamc.diffusion.samplers.dpm_multistep import lagrange_weights
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError


@dataclass(frozen=True)
class AdamsStep:
    """At one point: (factor of the state, factors of D newest first) to correct the last step and predict the next."""

    alpha: float
    sigma: float
    correct: tuple[float, tuple[float, ...]] | None
    predict: tuple[float, tuple[float, ...]] | None


class Adams(Sampler):
    """knee: alpha / sigma where u turns from linear to logarithmic, a third of 1 / (scale of x_0)."""

    order, calls = 3, 1

    def __init__(self, knee: float = 0.3) -> None:
        if not knee > 0:
            raise SamplerError(f"knee must be positive, found {knee}")
        self.knee = knee

    def plan(self, grid: Grid) -> Sequence[AdamsStep]:
        """Factors at every point; the last one only corrects."""
        u = [math.log1p(a / s / self.knee) for a, s in zip(grid.alpha, grid.sigma, strict=True)]

        def move(start: int, nodes: Sequence[int]) -> tuple[float, tuple[float, ...]]:
            """From one point to the next with D interpolated on nodes: x' = sigma'/sigma x + sigma' int D dq."""
            sigma = grid.sigma[start + 1]
            weights = lagrange_weights(u[start], u[start + 1], [u[k] for k in nodes], lambda v: self.knee * math.exp(v))
            return sigma / grid.sigma[start], tuple(sigma * w for w in weights)

        n = len(grid)
        return [
            AdamsStep(
                grid.alpha[k],
                grid.sigma[k],
                move(k - 1, range(k, max(-1, k - self.order - 1), -1)) if k > 0 else None,
                move(k, range(k, max(-1, k - self.order), -1)) if k < n else None,
            )
            for k in range(n + 1)
        ]

    def step(
        self, x: torch.Tensor, plan: AdamsStep, denoiser: Denoiser, noise: Noise | None, memory: list[torch.Tensor]
    ) -> torch.Tensor:
        """Correct the state, predict the next. memory: corrected state of the last point, then D newest first."""
        x = self.settle(x, denoiser(x, plan.alpha, plan.sigma), plan, memory)
        assert plan.predict is not None
        return self._combine(x, plan.predict, memory)

    def settle(self, x: torch.Tensor, x_0: torch.Tensor, plan: AdamsStep, memory: list[torch.Tensor]) -> torch.Tensor:
        """The corrected state at a point where D has just been evaluated."""
        memory.insert(1, x_0)
        if plan.correct is not None:
            x = self._combine(memory[0], plan.correct, memory)
            memory[0] = x
        else:
            memory.insert(0, x)
        del memory[self.order + 1 :]
        return x

    @staticmethod
    def _combine(x: torch.Tensor, factors: tuple[float, tuple[float, ...]], memory: list[torch.Tensor]) -> torch.Tensor:
        x = x * factors[0]
        for x_0, w in zip(memory[1:], factors[1], strict=True):
            x = torch.add(x, x_0, alpha=w)
        return x

"""What a sampler is, and the loop that runs one.

A sampler turns a grid into a plan, once: per step a tuple of floats. Then each step is tensor arithmetic with these
floats: nothing is made, read back from a device or decided in the loop. What a step must remember of earlier ones
lies in a list that belongs to the run, so that one sampler object serves any number of runs.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch

from doamc.diffusion.denoiser import Denoiser
from doamc.diffusion.grid import Grid
from doamc.diffusion.samplers.noise import Noise
from doamc.errors import SamplerError

#: how the last, slightly noisy state becomes x_0
ENDS = ("flow", "mean", "none")


class Sampler(ABC):
    """One way down a grid. order: of convergence, None where a bias stays; calls: of the network in a step."""

    order: ClassVar[int | None] = None
    calls: ClassVar[int] = 1
    stochastic: ClassVar[bool] = False
    _last: tuple[Grid, Sequence[Any]] | None = None  #: grid of the last run and its plan

    @abstractmethod
    def plan(self, grid: Grid) -> Sequence[Any]:
        """Coefficients of every step of a grid whose points are all noisy; one more where `settle` uses them."""

    @abstractmethod
    def step(
        self,
        x: torch.Tensor,  # state at a grid point
        plan: Any,  # coefficients of this step
        denoiser: Denoiser,
        noise: Noise | None,
        memory: list[torch.Tensor],  # of this run, empty at its start
    ) -> torch.Tensor:
        """State at the next grid point."""

    def planned(self, grid: Grid) -> Sequence[Any]:
        """The plan of a grid, made when the grid is not that of the last run."""
        last = self._last
        if last is None or last[0] != grid:
            last = self._last = grid, self.plan(grid)
        return last[1]

    def of_real_states(self) -> "Sampler":
        """The sampler for real states; only one that takes y itself is another."""
        return self

    def settle(self, x: torch.Tensor, x_0: torch.Tensor, plan: Any, memory: list[torch.Tensor]) -> torch.Tensor:
        """State at the last point, once D is known there; the state as it is unless a sampler corrects it."""
        return x


@torch.no_grad()
def sample(
    denoiser: Denoiser,
    sampler: Sampler,
    grid: Grid,
    noise: Noise | None = None,
    start: torch.Tensor | None = None,
    end: str = "flow",
) -> torch.Tensor:
    """Run a sampler down a grid and return x_0, shaped like the start.

    start: state at the first grid point; by default sigma_0 times a draw of the noise. end: what is done with the
    noise that is left at the last point: "flow" moves half way to the mean, an Euler step in sigma^2 of the
    probability flow, right to second order in what is left; "mean" returns the mean (best where the law of x_0 has
    no density of its own); "none" only divides by alpha. The first two cost one more call. Where the grid ends
    clean, the mean is returned.

    Raises SamplerError where noise is needed and not given, the end has another name, or the grid leaves the log-SNRs
    that the denoiser's network was trained at.
    """
    if end not in ENDS:
        raise SamplerError(f"end must be one of {', '.join(ENDS)}, found {end!r}")
    if noise is None and (start is None or sampler.stochastic):
        raise SamplerError("this sampler draws noise: expected a noise source such as ItemNoise, found none")
    body = grid.noisy()
    _check_trained(getattr(denoiser, "trained", None), body)
    x = grid.sigma[0] * noise.draw() if start is None and noise is not None else start
    assert x is not None
    if not x.is_complex():
        sampler = sampler.of_real_states()
        denoiser = denoiser.of_real_states() if hasattr(denoiser, "of_real_states") else denoiser
    memory: list[torch.Tensor] = []
    plans = sampler.planned(body)
    for plan in plans[: len(body)]:
        x = sampler.step(x, plan, denoiser, noise, memory)
    alpha, sigma = body.alpha[-1], body.sigma[-1]
    if end == "none" and len(body) == len(grid):
        return x / alpha
    x_0 = denoiser(x, alpha, sigma)
    if end == "mean" or len(body) < len(grid):
        return x_0
    x = sampler.settle(x, x_0, plans[-1], memory)
    return torch.add(x * (0.5 / alpha), x_0, alpha=0.5)


def _check_trained(trained: tuple[float, float] | None, grid: Grid) -> None:
    if trained is None:
        return
    found = [2 * v for v in grid.half_log_snr]
    if min(found) < trained[0] - 1e-6 or max(found) > trained[1] + 1e-6:
        raise SamplerError(
            f"expected a grid within the log-SNRs {trained[0]:g} to {trained[1]:g} that the network was trained at, "
            f"found {min(found):.3g} to {max(found):.3g}; make it by make_grid(..., trained=denoiser.trained)"
        )


def network_calls(sampler: Sampler, grid: Grid, end: str = "flow") -> int:
    """How often `sample` calls the denoiser."""
    body = grid.noisy()
    return sampler.calls * len(body) + int(len(body) < len(grid) or end != "none")


def pairs(grid: Grid) -> list[tuple[float, float, float, float]]:
    """(alpha_t, sigma_t, alpha_s, sigma_s) of every step from t to s."""
    return list(zip(grid.alpha[:-1], grid.sigma[:-1], grid.alpha[1:], grid.sigma[1:], strict=True))

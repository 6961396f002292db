"""Images from visibilities by diffusion with the learned prior: methods `posterior` and `ddrm` of ``doamc image``.

`posterior` runs `Chain`, which begins at the image by compressed sensing: of the skies that agree with few visibilities
it is near the right ones, and a chain that falls from noise ends at others. `ddrm` is the published chain of
`diffusion.guidance.Ddrm`, [Kawar], as [Tolley] has it for skies. Both take a sky in units of the power of two that is
nearest to its brightest pixel: that of compressed sensing, looked up again after the first sweep.
"""

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from doamc.diffusion.grid import Grid
from doamc.diffusion.guidance import Ddrm
from doamc.diffusion.samplers import ItemNoise, sample
from doamc.errors import ImagingError
from doamc.imaging.iuwt import iuwt
from doamc.imaging.sampling import FourierSampling
from doamc.imaging.visibilities import GridVisibilities, SkyImage
from doamc.skies.chain import Chain, Mean, Moments, falling
from doamc.skies.colour import CORNER, error_colour
from doamc.skies.conditional import ITERATIONS, Conditional
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.deviations import Deviations
from doamc.skies.evidence import Evidence, missing_power
from doamc.skies.net import SIGMA
from doamc.skies.surprise import Surprise
from doamc.skies.views import Views

UNIT = 64  #: pixels a side of images that levels and colours here are meant for; sources grow with the image
FIRST = 3.0  #: level of noise that a chain begins at, in units of the peak
TOP, SWEEP = 0.2, 5  #: level at which a sweep begins, and its steps
COLLECTED = 2  #: steps at the end of a sweep that moments are collected of
LONG = 400  #: steps; runs of so many average what is left of errors: all views, closer solves, means of all levels
SHORT = 200  #: steps of these that are as of other runs, and tell the deviations, which know no others
CLOSE = 40  #: iterations of the closer solves
FINE = 0.0005  #: as `TRUSTED`, where errors of the prior are averaged over
TRUSTED = 0.002  #: level below which errors of the prior are no longer small beside it
LEAST_NOISE = 1e-6  #: of a visibility, in units of the peak: what single precision brings by itself
LAST = 0.5  #: level that `ddrm` ends at, in units of the noise of a visibility
START = 50  #: steps of compressed sensing, whose image a chain begins at
TOGETHER = 1 << 18  #: pixels that are worked on at once

#: called with the number of images done, as they are done
Report = Callable[[int], None]


@dataclass(frozen=True)
class Run:
    """steps: calls of the network; samples: chains side by side; seed: of the noise of all of them."""

    steps: int = 200
    samples: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 2 or self.samples < 1:
            raise ImagingError(f"expected 2 steps or more and a sample, found {self.steps} and {self.samples}")


def restore(
    visibilities: GridVisibilities,
    run: Run | None = None,
    method: str = "posterior",
    weights: str | Path | None = None,
    report: Report | None = None,
) -> SkyImage:
    """Mean and standard deviation of the sky, flux a pixel; `ddrm` has a deviation from two samples on.

    Raises ImagingError where the method is none of `RESTORATIONS`, CheckpointError where the weights do not open.
    """
    run = run or Run()
    if method not in RESTORATIONS:
        raise ImagingError(f"expected a method of {', '.join(RESTORATIONS)}, found {method!r}")
    side = visibilities.side
    denoiser = SkyDenoiser.open((side, side), weights)
    done, means, deviations = 0, [], []
    for first, part in _parts(visibilities, run.samples):
        with torch.inference_mode():
            mean, deviation = RESTORATIONS[method](part, run, denoiser, first)
        means.append(mean)
        deviations.append(deviation)
        done += len(mean)
        if report is not None:
            report(done)
    image, std = (torch.cat(v).unflatten(1, visibilities.mask.shape).double().numpy() for v in (means, deviations))
    return SkyImage(image, None if np.isnan(std).any() else std)


def _parts(visibilities: GridVisibilities, samples: int) -> Iterator[tuple[int, GridVisibilities]]:
    """As many skies as are worked on at once, with the number of the first."""
    count = max(1, TOGETHER // (visibilities.mask.size * samples))
    for first in range(0, len(visibilities.values), count):
        yield first, visibilities.part(first, first + count)


class Problem:
    """Visibilities of B skies, each `samples` times, in units of `peak` (B, 1), which may be changed."""

    def __init__(self, visibilities: GridVisibilities, run: Run, first: int) -> None:
        self.operator, y, self.noise_power = FourierSampling.of(visibilities)
        self.y = y.repeat_interleave(run.samples, 0)
        count, pixels = len(self.y), self.operator.columns
        #: noise of a visibility in the middle of all
        self.noise_std = self.noise_power**0.5 / float(self.operator.s.median())
        self.start = torch.from_numpy(iuwt(visibilities, START)).float().flatten(1).repeat_interleave(run.samples, 0)
        least = self.noise_std * float(visibilities.mask.mean()) ** 0.5  # noise of the dirty image
        self.peak = nearest_power(self.start.amax(1, keepdim=True).clamp_min(least))
        seeds = [_seed(run.seed, first * run.samples + i) for i in range(count)]
        self.noise = ItemNoise(seeds, (pixels,), torch.float32, block=16)
        self.size = pixels**0.5 / UNIT
        self.colour = error_colour(self.operator.shape, CORNER / self.size)

    def bottom(self, trusted: float = TRUSTED) -> torch.Tensor:
        """Level (B, 1), in units of the peak, at which a sweep ends."""
        return ((self.noise_std / self.peak).square() + trusted**2).sqrt().clamp_max(FIRST)

    def levels(self, count: int, trusted: float = TRUSTED) -> list[torch.Tensor]:
        """Those of a sweep of so many steps, (B, 1) each."""
        top, bottom = min(TOP * self.size, FIRST), self.bottom(trusted)
        return falling((4 * bottom).clamp(top, FIRST), bottom, count)

    def in_units(self) -> tuple[torch.Tensor, torch.Tensor]:
        """y (B, R) and its noise power (B, 1), in units of the peak."""
        return self.y / self.peak, self.noise_power / self.peak.square()

    def surprise(self, prior: SkyDenoiser) -> Surprise:
        """The prior, with what tells how much y surprises it in a sweep."""
        y, power = self.in_units()
        ends = self.levels(2)
        return Surprise(prior, self.operator, y, power, self.colour, (ends[0], ends[1]))

    def conditional(self, iterations: int = ITERATIONS) -> Conditional:
        """What y says of x_0 in units of the peak."""
        y, power = self.in_units()
        power = power.clamp_min((LEAST_NOISE * float(self.operator.s.median())) ** 2)
        return Conditional(self.operator, y, power, self.colour, iterations)

    def measured(self, x: torch.Tensor) -> torch.Tensor:
        """What x (B, N) has in the measured cells."""
        return self.operator.from_spectral(self.operator.spectral(x))


def nearest_power(peak: torch.Tensor) -> torch.Tensor:
    """The nearest power of two: what is measured in it has a peak of 0.7 to 1.4, which the prior knows."""
    return torch.exp2(peak.clamp_min(1e-30).log2().round())


def _seed(seed: int, item: int) -> int:
    return int(np.random.SeedSequence([seed, item]).generate_state(1, np.uint64)[0] >> np.uint64(1))


def _posterior(
    visibilities: GridVisibilities, run: Run, prior: SkyDenoiser, first: int
) -> tuple[torch.Tensor, torch.Tensor]:
    *_, evidence = gathered(visibilities, run, prior, first)
    return evidence.image.flatten(1), Deviations.open().of(evidence).flatten(1)


def gathered(
    visibilities: GridVisibilities, run: Run, prior: SkyDenoiser, first: int = 0, at: Collection[int] = ()
) -> Iterator[Evidence]:
    """The image by `posterior` and what is known of it, after sweeps of these numbers, and when it is done.

    first: number of the first of these skies among all, for the noise of its chains.
    """
    problem, shape = Problem(visibilities, run, first), prior.shape
    steps = SHORT if run.steps >= LONG else run.steps
    moments, sweeps = Moments(shape), max(1, steps // SWEEP)
    levels, surprise = problem.levels(steps - SWEEP * (sweeps - 1)), problem.surprise(prior)
    chain = Chain(surprise, problem.conditional(), problem.noise, problem.start / problem.peak)
    mean = chain.run(levels, moments, COLLECTED)
    begun = problem.peak * mean
    if sweeps > 1:
        unit = nearest_power(mean.amax(1, keepdim=True).clamp_min(0.05))
        problem.peak = problem.peak * unit
        chain.conditional, chain.draw = problem.conditional(), chain.draw / unit
        chain.prior = surprise = problem.surprise(prior)
        moments, levels = Moments(shape), problem.levels(SWEEP)
        for k in range(2, sweeps + 1):
            chain.run(levels, moments, COLLECTED)
            if k in at and k < sweeps:
                yield _evidence(visibilities, run, problem, moments, moments.mean, surprise, begun, k)
    mean = moments.mean
    if run.steps > steps:
        chain.prior = Views(prior, shape)
        mean = _averaged(chain, problem, run.steps - steps, shape)
    yield _evidence(visibilities, run, problem, moments, mean, surprise, begun, sweeps)


def _averaged(chain: Chain, problem: Problem, steps: int, shape: tuple[int, int]) -> torch.Tensor:
    """Images (B, N), in units of the peak, of so many more steps, in which errors of prior and solver cancel.

    y is known best at low levels. What it does not tell is as well known at any level, and averaged over all.
    """
    chain.conditional = problem.conditional(CLOSE)
    low, every, levels = Moments(shape), Mean(), problem.levels(SWEEP, FINE)
    for _ in range(steps // SWEEP):
        chain.run(levels, low, COLLECTED, every)
    return every.value + problem.measured(low.mean - every.value)


def _evidence(
    visibilities: GridVisibilities,
    run: Run,
    problem: Problem,
    moments: Moments,
    found: torch.Tensor,
    surprise: Surprise,
    begun: torch.Tensor,
    sweeps: int,
) -> Evidence:
    """The mean over the chains of each sky. found: image of each, in units of its peak; begun: of the first sweep."""

    def mean(each: torch.Tensor) -> torch.Tensor:
        return each.unflatten(0, (-1, run.samples)).mean(1)

    each = problem.peak * found
    image, variance = mean(each), mean(problem.peak.square() * moments.variance)
    if run.samples > 1:
        variance = variance + each.unflatten(0, (-1, run.samples)).var(1)
    pull = mean(problem.peak.square() * moments.pull)
    operator, y = problem.operator, problem.y[:: run.samples]
    left = operator.from_spectral(operator.s * (y - operator.apply(image)))
    noise = (problem.noise_power * operator.s.square().sum() / operator.columns).sqrt()
    flat = image, variance.sqrt(), mean(problem.start), mean(begun), pull.sqrt(), left / noise
    seen, deviation, start, earlier, pulled, residual = (v.unflatten(1, operator.shape) for v in flat)
    return Evidence(
        image=seen,
        deviation=deviation,
        start=start,
        first=earlier,
        pull=pulled,
        residual=residual,
        level=mean(problem.peak * problem.bottom())[:, 0],
        missing=torch.from_numpy(missing_power(visibilities)).float(),
        surprise=mean(surprise.logarithms()),
        noise=problem.noise_std,
        mask=torch.from_numpy(visibilities.mask),
        sweeps=sweeps,
    )


def _ddrm(
    visibilities: GridVisibilities, run: Run, prior: SkyDenoiser, first: int
) -> tuple[torch.Tensor, torch.Tensor]:
    problem = Problem(visibilities, run, first)
    found = torch.empty(len(problem.y), problem.operator.columns)
    for peak in problem.peak.unique():  # the levels of a grid are those of all its items
        rows = (problem.peak[:, 0] == peak).nonzero()[:, 0]
        noise = ItemNoise([_seed(run.seed + 1, first * run.samples + int(i)) for i in rows], found.shape[1:],
                          torch.float32)  # fmt: skip
        last = (LAST * problem.noise_std / peak).clamp(*SIGMA)
        levels = [float(v) for v in falling(torch.tensor(FIRST), last, run.steps)]
        grid = Grid(tuple(levels), (1.0,) * len(levels), tuple(levels))
        chain = Ddrm(problem.operator, problem.y[rows] / peak, problem.noise_power / float(peak) ** 2)
        start = chain.start(grid, noise.draw())
        found[rows] = peak * sample(prior, chain, grid, noise, start, end="mean")
    each = found.unflatten(0, (-1, run.samples))
    return each.mean(1), each.std(1) if run.samples > 1 else torch.full_like(each[:, 0], math.nan)


#: name -> restoration of a part of the skies
RESTORATIONS: dict[str, Callable[[GridVisibilities, Run, SkyDenoiser, int], tuple[torch.Tensor, torch.Tensor]]] = {
    "posterior": _posterior,
    "ddrm": _ddrm,
}

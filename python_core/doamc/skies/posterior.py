"""Skies from the posterior of the learned prior: method `posterior` of ``doamc image``.

`Chain` begins at the image by compressed sensing: of the skies that agree with few visibilities it is near the right
ones, and a chain that falls from noise ends at others. The unit of flux is looked up again after the first sweep.
"""

from collections.abc import Collection, Iterator

import torch

from doamc.imaging.visibilities import GridVisibilities
from doamc.skies.chain import Chain, Mean, Moments
from doamc.skies.denoiser import SkyDenoiser
from doamc.skies.deviations import Deviations
from doamc.skies.evidence import Evidence, missing_power
from doamc.skies.problem import Problem, Run, nearest_power
from doamc.skies.surprise import Surprise
from doamc.skies.views import Views

SWEEP = 5  #: steps of a sweep
COLLECTED = 2  #: steps at the end of a sweep that moments are collected of
LONG = 400  #: steps; runs of so many average what is left of errors: all views, closer solves, means of all levels
SHORT = 200  #: steps of these that are as of other runs, and tell the deviations, which know no others
CLOSE = 40  #: iterations of the closer solves
FINE = 0.0005  #: as `problem.TRUSTED`, where errors of the prior are averaged over


def posterior(
    visibilities: GridVisibilities, run: Run, prior: SkyDenoiser, first: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and deviation of each sky, (B, N); first: as of `gathered`."""
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

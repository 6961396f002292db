"""Trials of calibration: scenes drawn from the prior, sampled, and the truth ranked among its samples."""

import math
from dataclasses import dataclass, fields
from typing import Any

import torch

from doamc.angles import wrap_rad
from doamc.bounds import cramer_rao
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.engine import open_estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.intervals import NORMAL_90
from doamc.posterior.methods import Posterior
from doamc.posterior.sampled_part import SampledPart
from doamc.scenes import Scene
from doamc.scenes.accuracy import azimuth_error, direction_error, direction_order, is_hit
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.trials.observe import IN_SEQUENCE, observe
from doamc.trials.ranks import quantities_of, ranks_of, standing_together
from doamc.trials.sharpness import limit_std
from doamc.trials.tarp import tarp_shares

PART = 32  #: scenes under one seed of the method: its own random tables must not err alike in all scenes
NORMAL_DRAWS = 96  #: of a posterior taken as normal, for TARP
SEED_STRIDE = 1_000_003  #: between the scenes of one seed and the next: generators take 32 bits of it
SAME = ("quantities",)  #: what all records of a case share


@dataclass(frozen=True)
class Case:
    """What is drawn: P sources, L snapshots, the SNR in dB (a number, a range, or None for the specification's).

    known_noise: the method is told the noise power, so that the posterior is one given that power, whatever the SNR.
    """

    n_sources: int
    n_snapshots: int
    snr_db: float | tuple[float, float] | None = None
    known_noise: bool = False


@dataclass(frozen=True)
class Trials:
    """Records of B scenes of a case, d quantities each; rank and share as in `doamc.trials.ranks`.

    tarp: (B,), uniform for exact samples. error, std, bound: (B, P) rad, of the azimuths as they were reported, their
    deviation (90 % half-width over 1.645) and the Cramér-Rao bound, which takes coupling drawn from antennas as known
    and any other as unknown. limit: (B, P) rad, deviations by long chains, of the first scenes; NaN of the others, and
    where coupling is of several kinds. held: (B, P), whether the 90 % interval has the truth. hit: (B,), every source
    within 2 degrees. independent: (B,), how many independent samples those of a scene are worth, infinite where the
    posterior is taken as normal.
    """

    quantities: list[str]
    rank: torch.Tensor
    share: torch.Tensor
    tarp: torch.Tensor
    error: torch.Tensor
    std: torch.Tensor
    bound: torch.Tensor
    held: torch.Tensor
    hit: torch.Tensor
    limit: torch.Tensor
    independent: torch.Tensor


def calibrate(spec: ArraySpec, method: str | None, case: Case, scenes: int, seed: int = 0, device: str = "cpu",
              progress: Any = None) -> Trials:  # fmt: skip
    """Draw scenes, let the method estimate them, and rank the truth; the method gets another seed every `PART` scenes.

    Raises EstimatorError for a method without error bars, or one whose samples are of other scenes than are drawn.
    """
    parts = []
    for first in range(0, scenes, PART):
        count = min(PART, scenes - first)
        parts.append(_part(spec, method, case, count, SEED_STRIDE * seed + first, device, first == 0))
        if progress is not None:
            progress(count)
    return _joined(parts)


def _part(spec: ArraySpec, method: str | None, case: Case, count: int, seed: int, device: str,
          long_chains: bool) -> Trials:  # fmt: skip
    estimator = open_estimator(method, spec, case.n_sources, device, seed)
    if estimator.sequential:
        raise EstimatorError(f"method {estimator.name} cannot be tried: {IN_SEQUENCE}")
    generator = torch.Generator().manual_seed(seed)
    scene, batch, _ = observe(spec, count, case.n_sources, case.n_snapshots, case.snr_db, generator,
                           known_noise=case.known_noise)  # fmt: skip
    torch.manual_seed(seed)
    independent = torch.full((count,), math.inf, dtype=torch.float64)
    limit = torch.full((count, case.n_sources), math.nan, dtype=torch.float64)
    if isinstance(estimator, Posterior):
        parts, estimates = _sampled(estimator, batch, case.n_sources)
        quantities, rank, share, tarp = _of_samples(estimator, parts, scene, generator)
        for part in parts:
            independent[part.index.cpu()] = part.samples.independent.cpu()
        if long_chains:
            for part in (part for part in parts if not part.kinds):
                limit[part.index.cpu()] = limit_std(part, scene.select(part.index.cpu()), seed).cpu()
    else:
        estimates = estimator(batch, case.n_sources)
        quantities, rank, share, tarp = _of_error_bars(estimator, estimates, scene, generator)
    error, std, hit = _errors(scene, estimates)
    bound = cramer_rao(scene, case.n_snapshots, coupling_known=spec.family.narrow).azimuth
    return Trials(quantities, rank, share, tarp, error, std, bound,
                  error.abs() < NORMAL_90 * std, hit, limit, independent)  # fmt: skip


def _sampled(estimator: Posterior, batch: SnapshotBatch, n_sources: int) -> tuple[list[SampledPart], Estimates]:
    """Samples, and the estimates that are published of them."""
    parts: list[SampledPart] = []

    def estimate(calm: SnapshotBatch) -> Estimates:
        parts.extend(estimator.samples(calm, n_sources))
        return estimator.reported({n_sources: parts}, calm)

    estimates = estimator.undisturbed(batch, estimate)
    return parts, estimates


def _of_samples(
    estimator: Posterior, parts: list[SampledPart], scene: Scene, generator: torch.Generator
) -> tuple[list[str], torch.Tensor, torch.Tensor, torch.Tensor]:
    """Names, ranks, shares and TARP of what was sampled, in the order of the scenes."""
    rows, names = [], []
    for part in parts:
        if part.samples.coordinates.n_pairs:
            raise EstimatorError(
                f"method {estimator.name} takes sources as correlated, and these are not; leave out coherent=yes"
            )
        names = quantities_of(part.samples.coordinates)
        truth, x = standing_together(part, scene.select(part.index.cpu()))
        last = x[:, :, -estimator.options.chains :]  # a state of every chain
        rank, share = ranks_of(truth, last, generator), (x < truth).double().mean(2)
        rows.append(torch.cat([rank, share, tarp_shares(truth, last, generator)[:, None]], 1))
    table = torch.cat(rows)[torch.cat([part.index.cpu() for part in parts]).argsort()]
    rank, share, tarp = table.split([len(names), len(names), 1], 1)
    return names, rank, share, tarp[:, 0]


def _of_error_bars(
    estimator: Estimator, estimates: Estimates, scene: Scene, generator: torch.Generator
) -> tuple[list[str], torch.Tensor, torch.Tensor, torch.Tensor]:
    """The same of azimuths alone, for a method that reports deviations: its posterior is taken as normal."""
    if not torch.isfinite(estimates.std).any():
        raise EstimatorError(f"method {estimator.name} has no error bars to judge; take one that has, such as map")
    found, std, _ = _errors(scene, estimates)
    error = -found
    share = torch.special.ndtr(error / std)
    z = torch.randn(*error.shape, NORMAL_DRAWS, generator=generator, dtype=torch.float64)
    tarp = tarp_shares(error[..., None], std[..., None] * z, generator)
    return [f"azimuth {i + 1}" for i in range(error.shape[1])], share, share, tarp


def _errors(scene: Scene, estimates: Estimates) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Errors and deviations (B, P) of azimuths in rad, and whether scenes are hit (B,), by both angles if there are."""
    azimuth, std = estimates.azimuth.cpu(), estimates.std.cpu()
    if scene.elevation is None or estimates.elevation is None:
        error = azimuth_error(scene.azimuth, azimuth, scene.spec.full_circle)
        return error, std, is_hit(error)
    true, found = (scene.azimuth, scene.elevation), (azimuth, estimates.elevation.cpu())
    order = direction_order(true, found)
    return wrap_rad(azimuth.gather(1, order) - true[0]), std.gather(1, order), is_hit(direction_error(true, found))


def _joined(parts: list[Trials]) -> Trials:
    joined: dict[str, Any] = {}
    for field in fields(Trials):
        values: list[Any] = [getattr(part, field.name) for part in parts]
        joined[field.name] = values[0] if field.name in SAME else torch.cat(values)
    return Trials(**joined)

"""One observation whose estimates are doubtful, as models beside that of the specification are fitted to it."""

from dataclasses import dataclass

import torch

from doamc.arrays.extent import is_flat
from doamc.estimators.estimates import Estimates
from doamc.estimators.hypotheses import Fitted, Hypothesis
from doamc.estimators.remedies import Remedy
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.spec.elevation import off_horizon

EXPLAINED = 4.0  #: misfit below which a model explains a batch
OFF_HORIZON = 0.05  #: rad, least elevation that a flat array is started from


@dataclass(frozen=True)
class Explanation:
    """Number of a cause, and its remedy, where there is one; several where the batch cannot tell them apart."""

    cause: int
    remedies: tuple[Remedy, ...] = ()


class Doubted:
    """An observation with P sources.

    covariance: (N, N), over its mean diagonal, which is `level`. enough: misfit below which a model explains it. free:
    the model of the specification without its walls. start: its parameters (D,) by the estimates. everything: (1, N),
    all channels. counted: whether its sources were counted.
    """

    def __init__(self, spec: ArraySpec, batch: SnapshotBatch, e: Estimates, enough: float) -> None:
        self.spec, self.p = spec, int(e.azimuth.isfinite().sum())
        self.lengths = batch.effective.lengths(self.p)
        self.level = float(batch.covariance.diagonal(dim1=1, dim2=2).real.mean())
        self.covariance = batch.covariance[0] / self.level
        self.enough = enough
        self.everything = torch.arange(spec.n_elements)[None]
        self.counted, self.noise_known = e.log_evidence is not None, batch.noise_power is not None
        self.free = Hypothesis(spec, self.p)
        self.start = _start(spec, e, 1 / self.level)

    def fit(self, h: Hypothesis, start: torch.Tensor) -> Fitted | None:
        """A model fitted from starts (S, D), where it explains the observation."""
        fitted = h.fit(self.covariance, self.lengths, start[None], self.everything)
        return fitted if float(fitted.misfit.misfit) < self.enough else None


def doubted(spec: ArraySpec, batch: SnapshotBatch, e: Estimates, enough: float) -> Doubted | None:
    """One observation that other models can start from; None where its coupling or noise power was not found."""
    there = bool(e.coupling.isfinite().all()) and float(e.noise_power) > 0
    return Doubted(spec, batch, e, enough) if there else None


def _start(spec: ArraySpec, e: Estimates, scale: float) -> torch.Tensor:
    there = e.azimuth[0].isfinite()
    noise = e.noise_power[0] * scale
    power = (e.power[0, there] * scale).nan_to_num(0.0)
    theta = spec.family.project(e.coupling[0])
    directions = [e.azimuth[0, there]]
    if spec.elevated and e.elevation is not None:
        elevation = e.elevation[0, there]
        if is_flat(spec.positions):  # at the horizon its slope is zero, and nothing descends
            elevation = off_horizon(spec, elevation, OFF_HORIZON)
        directions.append(elevation)
    return torch.cat([*directions, torch.maximum(power, 0.01 * noise).log(), theta, noise.log()[None]])

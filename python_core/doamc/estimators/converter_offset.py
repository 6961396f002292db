"""Converter offsets: a constant that every channel adds, taken out of a batch when it is there and no wave explains it.

The mean of a batch holds three things: what is left of signals and noise after averaging, a carrier exactly at the
receiver's frequency, and the offsets of its converters. The first has no more power in the noise subspace than white
noise over L, however slow the signals are; the second has the direction of a wave. What is neither is an offset. A
batch that holds nothing else is refused: what is left of it is round-off.
"""

from dataclasses import replace
from functools import cached_property

import torch

from doamc.errors import SnapshotError
from doamc.estimators.order import source_number
from doamc.estimators.peaks import azimuth_grid
from doamc.estimators.sphere import SphereGrid
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

LEAST_SNAPSHOTS = 4  #: times N, below which nothing is said of a mean
SUSPICIOUS = 4.0  #: times what is expected of the mean under the covariance, below which the rest is not looked at
LEVEL = 1e-4  #: probability, for white noise, of so much mean in the noise subspace
#: share of the mean's power outside the nearest steering vector, up to which it is taken for a carrier: coupling of
#: unknown entries bends steering vectors by less; antennas that are drawn are known better
WAVE, WAVE_NARROW = 0.3, 0.1
STEP_DEG = 1.0  #: of the directions that are tried
LEFT = 1e-20  #: of the power of a batch, below which what varies in it is round-off


class ConverterOffset:
    """Takes offsets out of batches of one array."""

    def __init__(self, spec: ArraySpec) -> None:
        self._spec = spec

    def __call__(self, batch: SnapshotBatch) -> SnapshotBatch:
        """The batch with the mean of its snapshots removed where that is an offset; ``offset_removed`` (B,) tells.

        Raises SnapshotError where an observation is an offset and nothing else.
        """
        if batch.offset_removed is not None or batch.snapshots.dim() != 3:
            return batch
        chosen = self._offsets(batch)
        removed = torch.zeros(batch.size, dtype=torch.bool, device=batch.covariance.device)
        if not len(chosen):
            return batch.noted(offset_removed=removed)
        removed[chosen] = True
        some = batch.select(chosen)
        if (alone := constant(some.snapshots)).any():
            number = vars(batch).get("first")  # unknown where it is a part of others
            where = "" if number is None else f" in batch {number + int(chosen[alone][0])}"
            raise SnapshotError(
                f"every channel is constant{where}: the offset of the receiver's converters, and neither signals nor "
                "noise; check its gain, its antennas and whether it streams"
            )
        mean, about, count = _about_mean(some)
        snapshots, covariance = batch.snapshots.clone(), batch.covariance.clone()
        snapshots[chosen] = some.snapshots - mean[:, :, None] * (some.snapshots != 0).any(1, keepdim=True)
        covariance[chosen] = about * (count / (count - 1))[:, None, None]
        return replace(batch, snapshots=snapshots, covariance=covariance, offset_removed=removed)

    def _offsets(self, batch: SnapshotBatch) -> torch.Tensor:
        """Indices of the observations whose mean is an offset; one look at the mean is enough for nearly all."""
        n, length = batch.n_elements, batch.n_snapshots
        if length < LEAST_SNAPSHOTS * n:
            return torch.zeros(0, dtype=torch.int64)
        # q / (1 - q) for q = m^H R^-1 m is Hotelling's statistic, and n / (L - n) expected of it
        limit = SUSPICIOUS * n / (length - n + SUSPICIOUS * n)
        chosen = torch.from_numpy((batch.look.mean_share > limit).nonzero()[0])
        for look in (self._beyond_noise, self._no_wave):
            if len(chosen):
                chosen = chosen[look(batch.select(chosen))]
        return chosen

    def _beyond_noise(self, batch: SnapshotBatch) -> torch.Tensor:
        """Whether more of the mean lies in the noise subspace than white noise leaves there, (B,) bool.

        What the signal subspace misses of a mean m, its own error of estimation, is (m^H R_s^-1 m) times as much again.
        """
        n = batch.n_elements
        mean, about, count = _about_mean(batch)
        sources = source_number(about, batch.n_snapshots).clamp_max(n - 2)
        values, vectors = torch.linalg.eigh(about)
        noise = torch.arange(n, device=mean.device) < (n - sources)[:, None]  # of ascending eigenvalues
        level = ((values * noise).sum(1) / noise.sum(1)).clamp_min(1e-300)
        power = (vectors.mH @ mean[:, :, None])[:, :, 0].abs().square()
        inside = (power * noise).sum(1) / level
        missed = (power * ~noise / values.clamp_min(1e-300)).sum(1)
        return torch.special.gammaincc(noise.sum(1).double(), count * inside / (1 + missed)) < LEVEL

    def _no_wave(self, batch: SnapshotBatch) -> torch.Tensor:
        """Whether no direction explains the mean, (B,) bool."""
        mean = _about_mean(batch)[0]
        power = (mean.conj() @ self._manifold).abs().square().amax(1)
        wave = WAVE_NARROW if self._spec.family.narrow else WAVE
        return power < (1 - wave) * mean.abs().square().sum(1)

    @cached_property
    def _manifold(self) -> torch.Tensor:
        """Steering vectors of unit norm, (N, G), as the mean of the prior couples them."""
        family, sphere = self._spec.family, SphereGrid(self._spec) if self._spec.elevated else None
        at = (azimuth_grid(self._spec, STEP_DEG),) if sphere is None else (sphere.azimuth, sphere.elevation)
        grid = [angle[:, None] for angle in at]
        mean = torch.zeros(
            len(grid[0]), family.n_parameters, dtype=torch.float64
        )  # free of coupling, unless it is drawn
        a = family.response(mean, self._spec.positions, *grid)[:, :, 0].T
        return (a / torch.linalg.vector_norm(a, dim=0)).to(torch.complex128)


def constant(snapshots: torch.Tensor) -> torch.Tensor:
    """Whether nothing varies in snapshots (B, N, L), L >= 2, that were not left out, but for round-off; (B,) bool."""
    heard = (snapshots != 0).any(1, keepdim=True)
    mean = snapshots.sum(2, keepdim=True) / heard.sum(2, keepdim=True).clamp_min(1)
    rest = ((snapshots - mean) * heard).abs().square().sum((1, 2))
    return (rest <= LEFT * snapshots.abs().square().sum((1, 2))) & (heard.sum((1, 2)) > 1)


def _about_mean(batch: SnapshotBatch) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Mean (B, N) of the snapshots that were not left out, covariance (B, N, N) about it, their number (B,)."""
    count = torch.full((batch.size,), float(batch.n_snapshots), dtype=torch.float64, device=batch.covariance.device)
    if batch.left_out is not None:
        count = count - batch.left_out
    mean = batch.snapshots.sum(2) / count[:, None]
    share = (count / batch.n_snapshots)[:, None, None]
    return mean, batch.covariance - share * mean[:, :, None] * mean[:, None].conj(), count

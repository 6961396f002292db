"""What is observed of a batch: its sample covariance at a common level, and how many independent snapshots it is of."""

from dataclasses import dataclass

import torch

from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues


@dataclass(frozen=True)
class Observation:
    """One batch. covariance (1, N, N) and noise_power, where known, over level. snapshots: effective L."""

    covariance: torch.Tensor
    snapshots: float
    noise_power: float | None
    n_sources: int
    level: float

    @property
    def length(self) -> torch.Tensor:
        """Effective L, (1,)."""
        return torch.tensor([self.snapshots], dtype=torch.float64)

    @property
    def noise(self) -> torch.Tensor | None:
        """Noise power (1,) where known."""
        return None if self.noise_power is None else torch.tensor([self.noise_power], dtype=torch.float64)


def observe(batch: SnapshotBatch, item: int, n_sources: int) -> Observation:
    """Observation of one item of a batch; the level is the mean power of its P sources."""
    one = batch.select(slice(item, item + 1))
    length = one.effective.of_signals(n_sources)
    noise = None if one.noise_power is None else float(one.noise_power[0])
    return at_level(one.covariance, float(length[0]), noise, n_sources)


def at_level(
    covariance: torch.Tensor,  # shape: (1, N, N)
    snapshots: float,
    noise_power: float | None,
    n_sources: int,
) -> Observation:
    """Observation of the sample covariance of a number of independent snapshots."""
    total = float(covariance.diagonal(dim1=1, dim2=2).real.mean())
    noise = float(noise_power_from_eigenvalues(covariance, n_sources)) if noise_power is None else noise_power
    level = max(total - noise, 1e-3 * total) / n_sources
    scaled = None if noise_power is None else noise_power / level
    return Observation(covariance / level, snapshots, scaled, n_sources, level)

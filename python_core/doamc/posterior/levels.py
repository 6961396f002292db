"""The level at which a hypothesis takes a batch, and the batch brought to the level of the prior."""

from dataclasses import dataclass

import torch

from doamc.likelihood.power_level import prior_gain
from doamc.posterior.observations import Observations
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

#: snapshots times SNR that count at most where antennas have more unknown numbers than half the covariance tells: such
#: a posterior is thin and bent, and chains of a usual length do not get along it
MOST_INFORMATION = 1e7
FEWEST = 20.0  #: snapshots that count all the same


@dataclass(frozen=True)
class Level:
    """What a hypothesis takes of a batch: effective L and gain on the covariance, (B,) each.

    compared: the effective L (B,) at which it is compared with others. narrow: whether signals are worth fewer
    snapshots among themselves than with noise, (B,) bool: they may then be correlated by chance.
    """

    length: torch.Tensor
    gain: torch.Tensor
    compared: torch.Tensor
    narrow: torch.Tensor

    def select(self, index: torch.Tensor) -> "Level":
        """That of some of the observations."""
        return Level(self.length[index], self.gain[index], self.compared[index], self.narrow[index])


def level_of(spec: ArraySpec, batch: SnapshotBatch, n_sources: int, device: torch.device) -> Level:
    """Level of a batch for P sources, by the powers of a specification, compared at its own effective L.

    That is the number of snapshots of signals with noise: it is their sample correlation that moves bearings. Fewer
    count than there are where they tell more than chains can use (`MOST_INFORMATION`).
    """
    covariance, noise = _moments(batch, device)
    lengths = batch.effective.lengths(n_sources)
    length = lengths.cross.to(device)
    if 2 * spec.family.n_normal > batch.n_elements**2:
        values = batch.eigen[0].to(device)
        snr = values.sum(1) / values[:, : batch.n_elements - n_sources].mean(1).clamp_min(1e-300)
        length = torch.minimum(length, (MOST_INFORMATION / snr).clamp_min(FEWEST))
    return Level(length, prior_gain(spec, covariance, length, n_sources, noise), length, lengths.signal < lengths.cross)


def at_prior_level(
    spec: ArraySpec, batch: SnapshotBatch, level: Level
) -> list[tuple[torch.Tensor, torch.Tensor, Observations]]:
    """Places (n,), gains (n,) on the covariance, observations: of those at the prior's level, of those rescaled.

    A batch whose level cannot be the prior's (a receiver of unknown scale) is rescaled, and the prior over its
    source powers widened by their range, since only their differences still mean something. It is always widened
    where coupling is drawn from antennas: so narrow a prior would be bent to make up for a level merely near.
    """
    covariance, noise = _moments(batch, level.gain.device)
    margin = spec.power_db[1] - spec.power_db[0]
    levels = []
    for moved in (False, True):
        index = ((level.gain != 1) == moved).nonzero()[:, 0]
        if len(index):
            g, length = level.gain[index], level.length[index]
            widened = margin if moved or spec.family.narrow else 0.0
            known = None if noise is None else noise[index] * g
            observations = Observations(covariance[index] * g[:, None, None], length, known, widened)
            levels.append((index, g, observations))
    return levels


def _moments(batch: SnapshotBatch, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    noise = None if batch.noise_power is None else batch.noise_power.to(device)
    return batch.covariance.to(device), noise

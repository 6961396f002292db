"""Which bins of a slice hold a signal: a test of constant false-alarm rate on the largest eigenvalue.

A signal from one direction raises the largest eigenvalue of the covariance by N times its power over the noise, where
the mean power of all channels rises by that power once. Tests of a bin, of `WIDE` neighbours together, and of the last
`LONG` slices together find what is short and narrow, wide, or weak and lasting.
"""

from collections import deque
from dataclasses import dataclass

import torch

from doamc.bands.band_loops import exceeds_by_loops
from doamc.bands.grid import FINE, BandGrid
from doamc.bands.largest_eigenvalue import eigenvalue_threshold
from doamc.bands.noise_floor import NoiseFloor
from doamc.bands.spectra import BandSlice

WIDE, LONG = 2, 8
#: false alarms a second and bin width that all tests together are allowed: one in ten minutes of 2.4 MHz
FALSE_ALARMS = 4e-6


@dataclass(frozen=True)
class Found:
    """Bins (F,) bool that hold a signal in a slice.

    lasting: those that the last `LONG` slices show together, though none of them shows it alone.
    white: covariances (F, N, N) of the slice in units of the noise.
    """

    now: torch.Tensor
    lasting: torch.Tensor
    white: torch.Tensor


class Detector:
    """State: the noise floor, and the last slices. threshold_db is added to the thresholds of all tests."""

    def __init__(self, grid: BandGrid, n_channels: int, threshold_db: float = 0.0) -> None:
        self.grid, self.n_channels, self.factor = grid, n_channels, 10 ** (threshold_db / 10)
        self.floor = NoiseFloor(grid, n_channels)
        self._recent: deque[torch.Tensor] = deque(maxlen=LONG)
        self._quiet = torch.ones(grid.n_bins, dtype=torch.bool)
        self.gain = 1.0

    def threshold(self, bins: int, slices: float) -> float:
        """Largest eigenvalue that noise has in so many bins and slices, in units of the noise."""
        probability = FALSE_ALARMS * self.grid.slice_s / 3
        length = self.grid.independent(FINE * bins, self.grid.n_frames * slices)
        return self.factor * eigenvalue_threshold(probability, self.n_channels, length)

    def __call__(self, band: BandSlice) -> "Found":
        """What the next slice holds; one that is shorter is the last."""
        covariance = band.covariance.to(torch.complex128)
        if not len(self.floor.power):
            self.floor.begin(covariance)
        self.gain = self.floor.gain(covariance, self._quiet)
        white = self.floor.whitened(covariance) / self.gain
        found = exceeds(white, self.threshold(1, band.share))
        alone = ~spread(neighbours(found, WIDE).any(-1), WIDE)
        found |= spread(exceeds(neighbours(white, WIDE).mean(-1), self.threshold(WIDE, band.share)), WIDE) & alone
        eye = torch.eye(self.n_channels, dtype=white.dtype)
        self._recent.append(torch.where(dilated(found)[:, None, None], eye, white))
        lasting = torch.zeros_like(found)
        if len(self._recent) == LONG:
            mean, long = torch.stack(tuple(self._recent)).mean(0), LONG - 1 + band.share
            if band.share < 1:
                mean = (LONG * mean - (1 - band.share) * self._recent[-1]) / long
            lasting = exceeds(mean, self.threshold(1, long)) & ~dilated(found)
        self._quiet = ~dilated(found | lasting)
        if band.share == 1:
            self.floor.update(covariance, self._quiet, self.gain)
        return Found(found, lasting, white)


def exceeds(matrices: torch.Tensor, value: float) -> torch.Tensor:
    """Whether the largest eigenvalue of Hermitian matrices (F, N, N) is above a value, (F,) bool.

    The Cholesky decomposition of value I - R tells it, ten times sooner than the eigenvalues do.
    """
    found = exceeds_by_loops(matrices.numpy(), value)
    if found is not None:
        return torch.from_numpy(found)
    eye = torch.eye(matrices.shape[-1], dtype=matrices.dtype)
    return torch.linalg.cholesky_ex(value * eye - matrices)[1] > 0


def neighbours(bins: torch.Tensor, count: int) -> torch.Tensor:
    """Groups of `count` bins side by side, of values (F, ...), (F - count + 1, ..., count)."""
    return bins.unfold(0, count, 1)


def spread(found: torch.Tensor, count: int) -> torch.Tensor:
    """Bins (F,) that belong to one of the groups of `count` bins found (F - count + 1,)."""
    out = torch.zeros(len(found) + count - 1, dtype=torch.bool)
    for k in range(count):
        out[k : k + len(found)] |= found
    return out


def dilated(mask: torch.Tensor) -> torch.Tensor:
    """A mask (F,) with its neighbours."""
    out = mask.clone()
    out[1:] |= mask[:-1]
    out[:-1] |= mask[1:]
    return out

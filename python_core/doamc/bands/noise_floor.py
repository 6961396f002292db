"""The noise power of every bin and channel, from bins without signals and from what signals leave of the others.

A signal takes one dimension of N, two signals two. So the N - 2 smallest eigenvalues tell the noise of a bin that is in
use as well, and a band full of signals has a noise floor all the same. Noise is smooth over frequency (the receiver's
filters) and steady in time, but its level may step (gain): each slice has a factor of its own.
"""

import math

import numpy as np
import torch

from doamc.bands.grid import BandGrid

MEMORY_S = 2.0  #: time constant of the floor
SMOOTH_BINS, LEAST_BINS = 9, 2  #: over which it is averaged, on either side, and at the ends of the band
MEDIAN_BINS = 25  #: over whose median it begins, on either side
FOLLOWED = 0.1  #: share of a change of level, in decibels, that the floor follows; the rest is the slices' gain
SHARPENED = 5.0  #: slices after which half as many neighbours are asked
OCCUPIED_WEIGHT = 0.1  #: of a bin with a signal against one without
LEAST_QUIET = 0.1  #: share of bins from which on their powers tell the level
DRAWS = 4000  #: of covariances of noise, which tell the bias of small eigenvalues


class NoiseFloor:
    """State: sums of noise powers (F, N) and of weights (F,), with forgetting; `power` is their smoothed ratio."""

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        self.grid, self.n_channels = grid, n_channels
        self.lowest = max(1, n_channels - 2)
        self._bias = small_eigenvalues(n_channels, grid.independent(4, grid.n_frames), self.lowest)
        self._share = float(np.exp(-grid.slice_s / MEMORY_S))
        self._sum = torch.zeros(grid.n_bins, n_channels, dtype=torch.float64)
        self._weight = torch.zeros(grid.n_bins, dtype=torch.float64)
        self.power = torch.zeros(0)

    def begin(self, covariance: torch.Tensor) -> None:
        """First floor (F, N), of the covariances (F, N, N) of a slice: equal shape over frequency in all channels."""
        power = covariance.diagonal(dim1=1, dim2=2).real.double()
        total = power.mean(1)
        quiet = power[total <= total.median()].mean(0)
        ratio = quiet / quiet.mean()
        self.power = ratio[None].expand(len(total), -1).clone()
        level = running_median(self._level(self.eigenvalues(covariance)), MEDIAN_BINS)
        self.power = smooth(level, torch.ones_like(level))[:, None] * ratio

    def eigenvalues(self, covariance: torch.Tensor) -> torch.Tensor:
        """Eigenvalues (F, N), ascending, of covariances (F, N, N) in units of the floor."""
        return torch.linalg.eigvalsh(self.whitened(covariance)).double()

    def whitened(self, covariance: torch.Tensor) -> torch.Tensor:
        """Covariances (F, N, N) in units of the floor."""
        root = self.power.rsqrt().to(covariance.dtype)
        return covariance * root[:, :, None] * root[:, None]

    def gain(self, covariance: torch.Tensor, quiet: torch.Tensor) -> float:
        """Factor of a slice's noise on the floor, by the powers of bins that held no signal before."""
        if int(quiet.sum()) < LEAST_QUIET * len(quiet):
            return float(self._level(self.eigenvalues(covariance)).median())
        power = covariance[quiet].diagonal(dim1=1, dim2=2).real.double()
        return float((power / self.power[quiet]).mean(1).median())

    def update(self, covariance: torch.Tensor, quiet: torch.Tensor, gain: float) -> None:
        """Learn from a slice whose bins `quiet` (F,) hold no signal."""
        sample = covariance.diagonal(dim1=1, dim2=2).real.double() / gain ** (1 - FOLLOWED)
        used = ~quiet
        if used.any():
            root = self.power[used].rsqrt().to(covariance.dtype)
            values = torch.linalg.eigvalsh(covariance[used] * root[:, :, None] * root[:, None])
            level = self._level(values.double()) / gain ** (1 - FOLLOWED)
            sample[used] = level[:, None] * self.power[used]
        weight = torch.where(quiet, 1.0, OCCUPIED_WEIGHT).double()
        self._sum = self._share * self._sum + weight[:, None] * sample
        self._weight = self._share * self._weight + weight
        # the longer bins are known, the fewer neighbours are asked: the band's shape may be curved
        known = float(self._weight.median())
        self.power = smooth(self._sum, self._weight[:, None], math.ceil(SMOOTH_BINS / (1 + known / SHARPENED)))

    def _level(self, eigenvalues: torch.Tensor) -> torch.Tensor:
        low = eigenvalues[:, : self.lowest].mean(1)
        free, used = self._bias
        return low / torch.where(eigenvalues[:, -1] > 3 * low, used, free)


def small_eigenvalues(n_channels: int, snapshots: float, lowest: int) -> tuple[float, float]:
    """Mean of the lowest eigenvalues of a covariance of unit noise, and of one with a strong signal in it."""
    rng, out = np.random.default_rng(1), []
    for n in (n_channels, max(n_channels - 1, 1)):
        length = max(round(snapshots), n)
        # Bartlett's decomposition of a complex Wishart matrix
        root = np.tril(rng.standard_normal((DRAWS, n, n)) + 1j * rng.standard_normal((DRAWS, n, n)), -1) / np.sqrt(2)
        place = np.arange(n)
        root[:, place, place] = np.sqrt(rng.gamma(length - place, size=(DRAWS, n)))
        values = np.linalg.eigvalsh(root @ root.conj().swapaxes(1, 2)) / length
        out.append(float(values[:, : min(lowest, n)].mean()))
    return out[0], out[1]


def running_median(x: torch.Tensor, reach: int) -> torch.Tensor:
    """Median over `reach` neighbours on either side, (F,)."""
    reach = min(reach, (len(x) - 1) // 2)
    padded = torch.cat([x[1 : reach + 1].flip(0), x, x[-reach - 1 : -1].flip(0)])
    return padded.unfold(0, 2 * reach + 1, 1).median(1)[0]


def smooth(total: torch.Tensor, weight: torch.Tensor, most: int = SMOOTH_BINS) -> torch.Tensor:
    """Weighted means over `most` neighbours on either side, of sums (F, ...) with weights (F, ...).

    There are as many on both sides, fewer towards the ends, so that a slope stays where it is.
    """
    at = torch.arange(len(total))
    reach = torch.minimum(at, len(at) - 1 - at).clamp(min(LEAST_BINS, most, len(at) - 1), most)
    low, high = (at - reach).clamp_min(0), (at + reach + 1).clamp_max(len(at))

    def summed(x: torch.Tensor) -> torch.Tensor:
        run = torch.cat([torch.zeros_like(x[:1]), x.cumsum(0)])
        return run[high] - run[low]

    return summed(total) / summed(weight)

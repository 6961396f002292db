"""Spectral covariances of a stream: the N x N covariance of every bin and slice, and powers of finer division.

The covariance of any channel over any time is a sum of these; no sample is left out, and none is filtered twice.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.bands.compiled_sums import frame_sums
from doamc.bands.frame_sums import FrameSums, Levels
from doamc.bands.grid import BandGrid
from doamc.errors import SnapshotError

#: sizes of the largest part of a sample that may be a converter's end, and how near to it others are clipped, too
FULL_SCALE, NEAR = (0.98, 1.01), 0.999


@dataclass(frozen=True)
class BandSlice(FrameSums):
    """One slice: what `FrameSums` holds, and what it is of.

    number: from 0. offset: (N,) complex, mean of the samples, which has been taken out. clipped: share of samples.
    samples: that the slice is of, overlap included.
    """

    number: int
    offset: torch.Tensor
    clipped: float
    samples: int


class SpectralCovariances:
    """Slices of a stream of N channels; push() takes samples as they come and gives the slices that are complete.

    Memory: samples of one slice, and what `frame_sums` needs, whatever is pushed.
    """

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        self.grid, self.n_channels = grid, n_channels
        self.sums = frame_sums(grid, n_channels)
        self._needed = grid.slice_samples + grid.n_fft - grid.hop
        self._held = torch.zeros(n_channels, self._needed, dtype=torch.complex64)
        self._filled = self._made = 0

    @property
    def left(self) -> int:
        """Samples after the last slice, those that its last frame reaches over included."""
        return self._filled

    def push(self, samples: NDArray[np.complex64]) -> Iterator[BandSlice]:
        """Slices completed by samples (N, T). Raises SnapshotError where channels differ or samples are not finite."""
        y = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.complex64))
        if y.dim() != 2 or y.shape[0] != self.n_channels:
            raise SnapshotError(f"expected samples ({self.n_channels}, T), found {tuple(y.shape)}; check --array")
        start = 0
        while start < y.shape[1]:
            count = min(self._needed - self._filled, y.shape[1] - start)
            self._held[:, self._filled : self._filled + count] = y[:, start : start + count]
            start, self._filled = start + count, self._filled + count
            if self._filled == self._needed:
                yield self._slice()
                kept = self._needed - self.grid.slice_samples
                self._held[:, :kept] = self._held[:, self.grid.slice_samples :].clone()
                self._filled = kept

    def skip(self, slices: int) -> None:
        """Forget the samples held, and count slices that were lost."""
        self._filled, self._made = 0, self._made + slices

    def _slice(self) -> BandSlice:
        levels = self.sums.levels(self._held)
        clipped = self._clipped(levels)
        sums = self.sums(self._held, levels.mean)
        self._made += 1
        return BandSlice(**vars(sums), number=self._made - 1, offset=levels.mean, clipped=clipped, samples=self._needed)

    def _clipped(self, levels: Levels) -> float:
        """Share of clipped parts of samples; single-precision samples may have any level. Raises SnapshotError."""
        if not math.isfinite(levels.high - levels.low):
            raise SnapshotError(f"samples hold NaN or infinite values (slice {self._made}); remove or repair them")
        most = max(-levels.low, levels.high)
        if not FULL_SCALE[0] <= most <= FULL_SCALE[1]:
            return 0.0
        return float((torch.view_as_real(self._held).abs() >= NEAR * most).float().mean())

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
from doamc.bands.grid import PARTS, BandGrid
from doamc.errors import SnapshotError

#: sizes of the largest part of a sample that may be a converter's end, and how near to it others are clipped, too
FULL_SCALE, NEAR = (0.98, 1.01), 0.999


@dataclass(frozen=True)
class BandSlice(FrameSums):
    """One slice: what `FrameSums` holds, and what it is of.

    number: from 0. offset: (N,) complex, mean of the samples, which has been taken out. clipped: share of samples.
    samples: that the slice is of, overlap included. share: of a slice, less than 1 where a stream ended in it.
    """

    number: int
    offset: torch.Tensor
    clipped: float
    samples: int
    share: float = 1.0


class SpectralCovariances:
    """Slices of a stream of N channels; push() takes samples as they come and gives the slices that are complete.

    rest() gives what is left at the end of the stream; slice() is for who cuts the stream. needed: samples of a slice,
    overlap included. Memory: samples of one slice, and what `frame_sums` needs, whatever is pushed.
    """

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        self.grid, self.n_channels = grid, n_channels
        self.sums = frame_sums(grid, n_channels)
        self.needed = grid.slice_samples + grid.overlap
        self._held = torch.zeros(n_channels, 0, dtype=torch.complex64)
        self._filled = self._made = 0

    @property
    def left(self) -> int:
        """Samples after the last slice, those that its last frame reaches over included."""
        return self._filled

    def push(self, samples: NDArray[np.complex64]) -> Iterator[BandSlice]:
        """Slices completed by samples (N, T). Raises SnapshotError where channels differ or samples are not finite."""
        y, start = self._checked(samples), 0
        if not self._held.shape[1]:
            self._held = torch.zeros(self.n_channels, self.needed, dtype=torch.complex64)
        while start < y.shape[1]:
            count = min(self.needed - self._filled, y.shape[1] - start)
            self._held[:, self._filled : self._filled + count] = y[:, start : start + count]
            start, self._filled = start + count, self._filled + count
            if self._filled == self.needed:
                yield self._slice(self._held, PARTS)
                kept = self.needed - self.grid.slice_samples
                self._held[:, :kept] = self._held[:, self.grid.slice_samples :].clone()
                self._filled = kept

    def rest(self) -> BandSlice | None:
        """At the end of the stream, a slice of as many parts as what is left holds; None where that is too short."""
        parts = self.grid.parts_in(self._filled)
        if not parts:
            return None
        band = self._slice(self._held[:, : self._filled].contiguous(), parts)
        self._filled -= self.grid.frames_in(parts) * self.grid.hop
        return band

    def slice(self, samples: NDArray[np.complex64]) -> BandSlice | None:
        """The slice that samples (N, T) are, overlap included: of fewer parts, or None, where they are too few.

        For streams that are cut already; nothing is held from one to the next. Raises as `push` does.
        """
        y = self._checked(samples)
        parts = self.grid.parts_in(y.shape[1])
        return self._slice(y, parts) if parts else None

    def skip(self, slices: int) -> None:
        """Forget the samples held, and count slices that were lost."""
        self._filled, self._made = 0, self._made + slices

    def _checked(self, samples: NDArray[np.complex64]) -> torch.Tensor:
        y = torch.from_numpy(np.ascontiguousarray(samples, dtype=np.complex64))
        if y.dim() != 2 or y.shape[0] != self.n_channels:
            raise SnapshotError(f"expected samples ({self.n_channels}, T), found {tuple(y.shape)}; check --array")
        return y

    def _slice(self, y: torch.Tensor, parts: int) -> BandSlice:
        frames = self.grid.frames_in(parts)
        levels = self.sums.levels(y)
        clipped = self._clipped(y, levels)
        sums = self.sums(y, levels.mean, parts)
        self._made += 1
        return BandSlice(
            **vars(sums), number=self._made - 1, offset=levels.mean, clipped=clipped,
            samples=frames * self.grid.hop + self.grid.overlap, share=frames / self.grid.n_frames,
        )  # fmt: skip

    def _clipped(self, y: torch.Tensor, levels: Levels) -> float:
        """Share of clipped parts of samples; single-precision samples may have any level. Raises SnapshotError."""
        if not math.isfinite(levels.high - levels.low):
            raise SnapshotError(f"samples hold NaN or infinite values (slice {self._made}); remove or repair them")
        most = max(-levels.low, levels.high)
        if not FULL_SCALE[0] <= most <= FULL_SCALE[1]:
            return 0.0
        return float((torch.view_as_real(y).abs() >= NEAR * most).float().mean())

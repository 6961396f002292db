"""Spectral covariances of a stream: the N x N covariance of every bin and slice, and powers of finer division.

The covariance of any channel over any time is a sum of these; no sample is left out, and none is filtered twice.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.bands.grid import FINE, BandGrid
from doamc.errors import SnapshotError

#: sizes of the largest part of a sample that may be a converter's end, and how near to it others are clipped, too
FULL_SCALE, NEAR = (0.98, 1.01), 0.999


@dataclass(frozen=True)
class BandSlice:
    """One slice: mean over its frames, of bins in ascending frequency.

    number: from 0. covariance: (F, N, N) complex64. parts: (PARTS, F, N) power of each part of the slice, per channel.
    lines: (F, FINE, N) power by line. offset: (N,) complex, mean of the samples, which has been taken out. clipped:
    share of samples. transform: (F, N, M, FINE), of all frames, until the next slice is made.
    """

    number: int
    covariance: torch.Tensor
    parts: torch.Tensor
    lines: torch.Tensor
    offset: torch.Tensor
    clipped: float
    transform: torch.Tensor

    @property
    def samples(self) -> int:
        """Samples that the slice is of, overlap included."""
        frames, lines = self.transform.shape[2], self.transform.shape[0] * self.transform.shape[3]
        return (frames + 1) * lines // 2

    def mirrored(self, bins: torch.Tensor) -> torch.Tensor:
        """Mean of x(f) x(-f) in each channel, (len(bins), N) complex, which an image makes large."""
        return (self.transform[bins] * self.transform[len(self.covariance) - 1 - bins].flip(3)).mean((2, 3))


class SpectralCovariances:
    """Slices of a stream of N channels; push() takes samples as they come and gives the slices that are complete.

    Memory: one slice of samples and its transform, whatever is pushed.
    """

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        self.grid, self.n_channels = grid, n_channels
        shift = np.exp(-1j * np.pi * np.arange(grid.n_fft) / grid.n_fft)  # lines at odd multiples of half their spacing
        self._window = torch.from_numpy((grid.window * shift / np.sqrt(grid.n_fft)).astype(np.complex64))
        self._needed = grid.slice_samples + grid.n_fft - grid.hop
        self._held = torch.zeros(n_channels, self._needed, dtype=torch.complex64)
        # kept from slice to slice: memory that is asked for anew costs as much as the arithmetic
        self._frames = torch.empty(n_channels, grid.n_frames, grid.n_fft, dtype=torch.complex64)
        self._spectrum = torch.empty_like(self._frames)
        self._bins = torch.empty(2, grid.n_bins // 2, n_channels, grid.n_frames, FINE, dtype=torch.complex64)
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
        g, n, y = self.grid, self.n_channels, self._held
        offset, clipped = y.mean(1), self._clipped()
        torch.mul((y - offset[:, None]).unfold(1, g.n_fft, g.hop), self._window, out=self._frames)
        torch.fft.fft(self._frames, out=self._spectrum)
        spectrum = self._spectrum.view(n, g.n_frames, 2, g.n_bins // 2, FINE)
        # bins first, the lower half of the band (the upper of the transform) in front
        x = self._bins
        for half in (0, 1):
            x[half].copy_(spectrum[:, :, 1 - half].permute(2, 0, 1, 3))
        x = x.view(g.n_bins, n, g.n_frames, FINE)
        flat = x.flatten(2)
        covariance = flat @ flat.mH / flat.shape[2]
        power = torch.square(torch.view_as_real(x), out=torch.view_as_real(self._frames).view(*x.shape, 2))
        by_frame = power.sum((3, 4)) / FINE
        parts = torch.stack([p.mean(2) for p in by_frame.split(g.part_frames.tolist(), 2)])
        lines = (power.sum(2).sum(3) / g.n_frames).transpose(1, 2)
        self._made += 1
        return BandSlice(self._made - 1, covariance, parts, lines, offset, clipped, x)

    def _clipped(self) -> float:
        """Share of clipped parts of samples; single-precision samples may have any level. Raises SnapshotError."""
        flat = torch.view_as_real(self._held)
        low, high = (float(v) for v in flat.aminmax())
        if not math.isfinite(high - low):
            raise SnapshotError(f"samples hold NaN or infinite values (slice {self._made}); remove or repair them")
        most = max(-low, high)
        if not FULL_SCALE[0] <= most <= FULL_SCALE[1]:
            return 0.0
        return float((flat.abs() >= NEAR * most).float().mean())

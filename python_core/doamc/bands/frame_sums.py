"""What is summed over the frames of a slice, by tensor operations; `compiled_sums` does the same in less time."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from doamc.bands.grid import FINE, PARTS, BandGrid


@dataclass(frozen=True)
class FrameSums:
    """Means over frames, of bins in ascending frequency.

    covariance: (F, N, N) complex64. parts: (PARTS, F, N) power of each part of the slice, of a shorter one fewer.
    lines: (F, FINE, N) power by line. image: (F, N) complex64 of x(f) x(-f) in each channel.
    """

    covariance: torch.Tensor
    parts: torch.Tensor
    lines: torch.Tensor
    image: torch.Tensor


@dataclass(frozen=True)
class Levels:
    """Of samples (N, T): mean (N,) complex64, and the least and the greatest part; not finite where a sample is not."""

    mean: torch.Tensor
    low: float
    high: float


class SumsFrames(Protocol):
    """A way to sum over frames; the samples (N, T) of a slice, or of its first parts, reach over the last frame."""

    def levels(self, samples: torch.Tensor) -> Levels:
        """Levels of samples."""

    def __call__(self, samples: torch.Tensor, offset: torch.Tensor, parts: int = PARTS) -> FrameSums:
        """Sums of the frames of so many parts, of samples of which an offset (N,) is taken out."""


class TensorSums:
    """Sums by tensor operations, of a slice, or so many frames; memory: their spectrum, three times."""

    def __init__(self, grid: BandGrid, n_channels: int, frames: int | None = None) -> None:
        self._grid, self._window = grid, torch.from_numpy(shifted_window(grid))
        # kept from slice to slice: memory that is asked for anew costs as much as the arithmetic
        count = frames or grid.n_frames
        self._frames = torch.empty(n_channels, count, grid.n_fft, dtype=torch.complex64)
        self._spectrum = torch.empty_like(self._frames)
        self._bins = torch.empty(2, grid.n_bins // 2, n_channels, count, FINE, dtype=torch.complex64)

    def levels(self, samples: torch.Tensor) -> Levels:
        """Levels of samples (N, T)."""
        low, high = (float(v) for v in torch.view_as_real(samples).aminmax())
        return Levels(samples.mean(1), low, high)

    def __call__(self, samples: torch.Tensor, offset: torch.Tensor, parts: int = PARTS) -> FrameSums:
        """Sums of the frames of samples (N, T)."""
        g = self._grid
        if parts < PARTS:
            return TensorSums(g, len(samples), g.frames_in(parts))._summed(samples, offset, g.part_frames[:parts])
        return self._summed(samples, offset, g.part_frames)

    def _summed(self, samples: torch.Tensor, offset: torch.Tensor, part_frames: np.ndarray) -> FrameSums:
        g, n, count = self._grid, len(samples), self._frames.shape[1]
        used = samples[:, : count * g.hop + g.overlap]
        torch.mul((used - offset[:, None]).unfold(1, g.n_fft, g.hop), self._window, out=self._frames)
        torch.fft.fft(self._frames, out=self._spectrum)
        spectrum = self._spectrum.view(n, count, 2, g.n_bins // 2, FINE)
        # bins first, the lower half of the band (the upper of the transform) in front
        for half in (0, 1):
            self._bins[half].copy_(spectrum[:, :, 1 - half].permute(2, 0, 1, 3))
        x = self._bins.view(g.n_bins, n, count, FINE)
        flat = x.flatten(2)
        covariance = flat @ flat.mH / flat.shape[2]
        image = (x[: g.n_bins // 2] * x[g.n_bins // 2 :].flip(0, 3)).mean((2, 3))
        power = torch.square(torch.view_as_real(x), out=torch.view_as_real(self._frames).view(*x.shape, 2))
        by_frame = power.sum((3, 4)) / FINE
        parts = torch.stack([p.mean(2) for p in by_frame.split(part_frames.tolist(), 2)])
        lines = (power.sum(2).sum(3) / count).transpose(1, 2)
        return FrameSums(covariance, parts, lines, torch.cat([image, image.flip(0)]))


def shifted_window(grid: BandGrid) -> np.ndarray:
    """Window (n_fft,) complex64 that brings lines to odd multiples of half their spacing, and noise to its power."""
    shift = np.exp(-1j * np.pi * np.arange(grid.n_fft) / grid.n_fft)
    return (grid.window * shift / np.sqrt(grid.n_fft)).astype(np.complex64)

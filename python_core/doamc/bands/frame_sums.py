"""What is summed over the frames of a slice, by tensor operations; `compiled_sums` does the same in less time."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from doamc.bands.grid import FINE, BandGrid


@dataclass(frozen=True)
class FrameSums:
    """Means over frames, of bins in ascending frequency.

    covariance: (F, N, N) complex64. parts: (PARTS, F, N) power of each part of the slice. lines: (F, FINE, N) power by
    line. image: (F, N) complex64 of x(f) x(-f) in each channel.
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
    """A way to sum over frames; the samples (N, T) of a slice reach over its last frame."""

    def levels(self, samples: torch.Tensor) -> Levels:
        """Levels of samples."""

    def __call__(self, samples: torch.Tensor, offset: torch.Tensor) -> FrameSums:
        """Sums of the frames of samples, of which an offset (N,) is taken out."""


class TensorSums:
    """Sums by tensor operations; memory: the spectrum of a slice, three times."""

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        self._grid, self._window = grid, torch.from_numpy(shifted_window(grid))
        # kept from slice to slice: memory that is asked for anew costs as much as the arithmetic
        self._frames = torch.empty(n_channels, grid.n_frames, grid.n_fft, dtype=torch.complex64)
        self._spectrum = torch.empty_like(self._frames)
        self._bins = torch.empty(2, grid.n_bins // 2, n_channels, grid.n_frames, FINE, dtype=torch.complex64)

    def levels(self, samples: torch.Tensor) -> Levels:
        """Levels of samples (N, T)."""
        low, high = (float(v) for v in torch.view_as_real(samples).aminmax())
        return Levels(samples.mean(1), low, high)

    def __call__(self, samples: torch.Tensor, offset: torch.Tensor) -> FrameSums:
        """Sums of the frames of samples (N, T)."""
        g, n = self._grid, len(samples)
        torch.mul((samples - offset[:, None]).unfold(1, g.n_fft, g.hop), self._window, out=self._frames)
        torch.fft.fft(self._frames, out=self._spectrum)
        spectrum = self._spectrum.view(n, g.n_frames, 2, g.n_bins // 2, FINE)
        # bins first, the lower half of the band (the upper of the transform) in front
        for half in (0, 1):
            self._bins[half].copy_(spectrum[:, :, 1 - half].permute(2, 0, 1, 3))
        x = self._bins.view(g.n_bins, n, g.n_frames, FINE)
        flat = x.flatten(2)
        covariance = flat @ flat.mH / flat.shape[2]
        image = (x[: g.n_bins // 2] * x[g.n_bins // 2 :].flip(0, 3)).mean((2, 3))
        power = torch.square(torch.view_as_real(x), out=torch.view_as_real(self._frames).view(*x.shape, 2))
        by_frame = power.sum((3, 4)) / FINE
        parts = torch.stack([p.mean(2) for p in by_frame.split(g.part_frames.tolist(), 2)])
        lines = (power.sum(2).sum(3) / g.n_frames).transpose(1, 2)
        return FrameSums(covariance, parts, lines, torch.cat([image, image.flip(0)]))


def shifted_window(grid: BandGrid) -> np.ndarray:
    """Window (n_fft,) complex64 that brings lines to odd multiples of half their spacing, and noise to its power."""
    shift = np.exp(-1j * np.pi * np.arange(grid.n_fft) / grid.n_fft)
    return (grid.window * shift / np.sqrt(grid.n_fft)).astype(np.complex64)

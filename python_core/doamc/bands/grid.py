"""How a band is divided: bins of frequency, frames and slices of time, and how many independent snapshots they hold.

Frames of `n_fft` samples overlap by half under Hann's window. A bin is `FINE` lines of the Fourier transform side by
side; lines lie at odd multiples of half their spacing, so that bin k covers [k, k + 1) bin widths from the centre and
mirrored frequencies are mirrored bins. Two values of the transform, dk lines and dm frames apart, are correlated by

    rho(dk, dm) = sum_n w(n) w(n + dm hop) exp(j 2 pi dk n / n_fft) / sum_n w(n)^2

for white noise, and the covariance of K lines and M frames has the variance of that of

    L = K M / sum_{dk, dm} (1 - |dk| / K)+ (1 - |dm| / M)+ |rho(dk, dm)|^2

independent snapshots, about bandwidth times time.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SnapshotError

FINE = 4  #: lines of the transform a bin
PARTS = 4  #: of a slice, for which powers are kept
#: least and most bins of a band, and frames of a slice
BINS, FRAMES = (8, 1 << 15), (PARTS, 1 << 14)
REACH = 8  #: lines apart beyond which Hann's window leaves no correlation


@dataclass(frozen=True)
class BandGrid:
    """Bins and slices of a band of sample_rate_hz around centre_hz, as near to bin_hz and slice_s as they can be.

    Raises SnapshotError where there would be too few or too many of them.
    """

    sample_rate_hz: float
    centre_hz: float = 0.0
    asked_bin_hz: float = 6250.0
    asked_slice_s: float = 0.02

    def __post_init__(self) -> None:
        bins = self.sample_rate_hz / self.asked_bin_hz
        if not BINS[0] <= bins <= BINS[1]:
            low, high = (self.sample_rate_hz / n for n in reversed(BINS))
            raise SnapshotError(
                f"expected bins of {low:.3g} to {high:.3g} Hz at {self.sample_rate_hz:g} samples a second, found "
                f"{self.asked_bin_hz:g} Hz; change --resolution"
            )
        frames = self.asked_slice_s * self.sample_rate_hz / self.hop
        if not FRAMES[0] <= frames <= FRAMES[1]:
            low, high = (n * self.hop / self.sample_rate_hz for n in FRAMES)
            raise SnapshotError(
                f"expected slices of {low:.3g} to {high:.3g} s for bins of {self.bin_hz:g} Hz, found "
                f"{self.asked_slice_s:g} s; change --slice"
            )

    @cached_property
    def n_bins(self) -> int:
        """Number of bins F, even, with small prime factors."""
        wanted = self.sample_rate_hz / self.asked_bin_hz / 2
        near = [n for n in range(max(4, int(wanted * 0.96)), int(wanted * 1.04) + 2) if smooth(n)]
        return 2 * min(near or [round(wanted)], key=lambda n: abs(n - wanted))

    @property
    def n_fft(self) -> int:
        """Samples of a frame."""
        return FINE * self.n_bins

    @property
    def hop(self) -> int:
        """Samples from frame to frame."""
        return 2 * self.n_bins

    @cached_property
    def n_frames(self) -> int:
        """Frames of a slice, M."""
        return max(PARTS, round(self.asked_slice_s * self.sample_rate_hz / self.hop))

    @property
    def slice_samples(self) -> int:
        """Samples from slice to slice."""
        return self.n_frames * self.hop

    @property
    def slice_s(self) -> float:
        """Duration of a slice, s."""
        return self.slice_samples / self.sample_rate_hz

    @property
    def bin_hz(self) -> float:
        """Width of a bin, Hz."""
        return self.sample_rate_hz / self.n_bins

    @property
    def line_hz(self) -> float:
        """Spacing of lines, Hz."""
        return self.bin_hz / FINE

    @cached_property
    def part_frames(self) -> NDArray[np.int64]:
        """Frames of each part of a slice."""
        return np.diff(np.linspace(0, self.n_frames, PARTS + 1).round().astype(np.int64))

    @property
    def overlap(self) -> int:
        """Samples by which the last frame of a slice reaches into the next slice."""
        return self.n_fft - self.hop

    @cached_property
    def least_samples(self) -> int:
        """Samples of the shortest slice that there may be, at the end of a stream, overlap included."""
        frames = [self.frames_in(k) for k in range(1, PARTS + 1)]
        return min(f for f in frames if f >= FRAMES[0]) * self.hop + self.overlap

    def frames_in(self, parts: int) -> int:
        """Frames of the first so many parts of a slice."""
        return int(self.part_frames[:parts].sum())

    def parts_in(self, samples: int) -> int:
        """Parts of a slice that samples hold, overlap included; 0 where they are fewer than the least."""
        frames = (samples - self.overlap) // self.hop
        parts = int(np.searchsorted(np.cumsum(self.part_frames), frames, "right"))
        return parts if samples >= self.least_samples else 0

    def edge_hz(self, fine: float) -> float:
        """Frequency of the lower edge of a line, counted from the lowest of the band, Hz."""
        return self.centre_hz + fine * self.line_hz - self.sample_rate_hz / 2

    @cached_property
    def window(self) -> NDArray[np.float64]:
        """Hann's window, of unit mean power."""
        w = 0.5 - 0.5 * np.cos(2 * math.pi * (np.arange(self.n_fft) + 0.5) / self.n_fft)
        return np.asarray(w / math.sqrt(float((w * w).mean())))

    @cached_property
    def correlation(self) -> NDArray[np.float64]:
        """|rho|^2 (2, 1 + REACH), frames apart 0 or 1, lines apart 0 to REACH."""
        w, half = self.window, self.hop
        overlap = np.zeros_like(w)
        overlap[:half] = w[:half] * w[half:]
        rho = np.fft.fft(np.stack([w * w, overlap])) / self.n_fft
        return np.abs(rho[:, : 1 + REACH]) ** 2

    def independent(self, n_lines: float, n_frames: float) -> float:
        """Number of independent snapshots in n_lines x n_frames values of the transform, side by side."""
        return _independent(self, n_lines, n_frames)


@lru_cache(maxsize=4096)
def _independent(grid: BandGrid, n_lines: float, n_frames: float) -> float:
    if n_lines < 1 or n_frames < 1:
        return 1.0
    by_line = np.clip(1 - np.arange(1 + REACH) / n_lines, 0, 1) * np.where(np.arange(1 + REACH), 2.0, 1.0)
    same, next_to = grid.correlation @ by_line
    return n_lines * n_frames / float(same + 2 * (1 - 1 / n_frames) * next_to)


def smooth(n: int) -> bool:
    """Whether 2, 3 and 5 are all its prime factors."""
    for p in (2, 3, 5):
        while n % p == 0:
            n //= p
    return n == 1

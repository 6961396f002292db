"""Bands that a person names: channels to watch, and masks for what is not wanted."""

from dataclasses import dataclass, replace

import torch

from doamc.bands.detector import Found
from doamc.bands.grid import FINE, BandGrid
from doamc.errors import SnapshotError


@dataclass(frozen=True)
class Channel:
    """A band to watch. squelch_db: least ratio of signal to noise in it; None leaves that to the detector."""

    frequency_hz: float
    bandwidth_hz: float
    squelch_db: float | None = None

    def bins(self, grid: BandGrid) -> list[int]:
        """Bins that lie in it by half at least, or the one that it lies in. Raises SnapshotError outside the band."""
        low = (self.frequency_hz - self.bandwidth_hz / 2 - grid.edge_hz(0)) / grid.bin_hz
        high = low + self.bandwidth_hz / grid.bin_hz
        if not (0 <= low and high <= grid.n_bins):
            raise SnapshotError(
                f"expected a channel within {grid.edge_hz(0):.0f} to {grid.edge_hz(FINE * grid.n_bins):.0f} Hz, found "
                f"{self.bandwidth_hz:g} Hz at {self.frequency_hz:.0f} Hz"
            )
        first = round(low)
        return list(range(first, max(round(high), first + 1))) if first < grid.n_bins else [grid.n_bins - 1]


class Watch:
    """Which bins may hold signals. channels: nothing else is then looked at. masks: (low, high) in Hz, left out."""

    def __init__(
        self, grid: BandGrid, channels: tuple[Channel, ...] = (), masks: tuple[tuple[float, float], ...] = ()
    ) -> None:
        self.channels = channels
        self.groups = [c.bins(grid) for c in channels]
        edges = torch.tensor([grid.edge_hz(FINE * k) for k in range(grid.n_bins + 1)], dtype=torch.float64)
        self._open = torch.ones(grid.n_bins, dtype=torch.bool)
        for low, high in masks:
            self._open &= (edges[1:] <= low) | (edges[:-1] >= high)

    def __call__(self, found: Found) -> Found:
        """What was found, where it is wanted."""
        if not self.channels:
            return replace(found, now=found.now & self._open, lasting=found.lasting & self._open)
        now, lasting = torch.zeros_like(found.now), torch.zeros_like(found.now)
        for channel, bins in zip(self.channels, self.groups, strict=True):
            if channel.squelch_db is None:
                now[bins] |= bool(found.now[bins].any())
                lasting[bins] |= bool(found.lasting[bins].any()) and not bool(now[bins].any())
            else:
                excess = float(found.white[bins].diagonal(dim1=1, dim2=2).real.mean()) - 1
                now[bins] |= excess > 10 ** (channel.squelch_db / 10)
        return replace(found, now=now & self._open, lasting=lasting & self._open)

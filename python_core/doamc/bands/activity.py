"""What has been received in every bin since a signal in it began: sums over the slices in which it was there."""

import torch

from doamc.bands.detector import Found
from doamc.bands.grid import FINE, BandGrid
from doamc.bands.spectra import BandSlice


class Activity:
    """Of F bins: in_use (F,), first and last slice with a signal, count of them, and sums over them.

    A slice that is shorter counts, in sums too, by its share.

    total, white: (F, N, N) covariances, as received and in units of the noise. lines: (F, FINE) excess powers in units
    of the noise.
    """

    def __init__(self, grid: BandGrid, n_channels: int) -> None:
        f, n = grid.n_bins, n_channels
        self.grid, self.n_channels = grid, n_channels
        self.in_use = torch.zeros(f, dtype=torch.bool)
        self.first = torch.zeros(f, dtype=torch.int64)
        self.last = torch.zeros(f, dtype=torch.int64)
        self.count = torch.zeros(f, dtype=torch.float64)
        self.total = torch.zeros(f, n, n, dtype=torch.complex128)
        self.white = torch.zeros(f, n, n, dtype=torch.complex128)
        self.lines = torch.zeros(f, FINE, dtype=torch.float64)

    def update(self, band: BandSlice, found: Found, floor: torch.Tensor) -> None:
        """Add a slice where it holds signals; floor: (F, N) noise powers in it."""
        on = found.now | found.lasting
        begun = on & ~self.in_use
        self.first[begun] = band.number
        self.in_use |= on
        self.last[on] = band.number
        self.count[on] += band.share
        self.total[on] += band.share * band.covariance[on]
        self.white[on] += band.share * found.white[on]
        self.lines[on] += band.share * ((band.lines[on].double() / floor[on, None]).mean(2) - 1)

    def clear(self, bins: torch.Tensor) -> None:
        """Forget bins (K,)."""
        self.in_use[bins] = False
        for x in (self.count, self.total, self.white, self.lines):
            x[bins] = 0

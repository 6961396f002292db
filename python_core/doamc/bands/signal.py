"""One signal of a band: when and where it was received, and its covariance."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.bands.activity import Activity
from doamc.bands.grid import FINE, PARTS, BandGrid
from doamc.bands.occupied import occupied_band
from doamc.bands.spectra import BandSlice

ON_SHARE = 0.3  #: of a signal's power, above which a part of a slice holds it
LINE_SURE = 2.5  #: standard deviations of the noise, below which a line counts for nothing in the occupied band
SURE = 4.0  #: standard deviations of the noise, above which a part holds anything


@dataclass(frozen=True)
class Timing:
    """Parts of slices, counted from the first of all: the first and the last with the signal, and how many.

    power: mean excess of these in units of the noise, summed over bins.
    """

    first: int
    last: int
    count: int
    power: float

    def joined(self, other: "Timing") -> "Timing":
        """That of two that are one."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Timing(first, last, max(self.count, other.count), max(self.power, other.power))


def timed(
    before: Timing | None, number: int, excess: NDArray[np.float64], bins: list[int], n_channels: int, grid: BandGrid
) -> Timing:  # fmt: skip
    """Timing of a signal of these bins after slice `number`, which holds it; excess: (PARTS, F) as `part_excess`."""
    own = excess[:, bins].sum(1)
    snapshots = grid.independent(FINE * len(bins), grid.n_frames / PARTS) * n_channels
    chance = SURE * len(bins) / snapshots**0.5
    usual = max(float(own.max()), before.power if before else 0.0)
    on = (own > max(ON_SHARE * usual, chance)).nonzero()[0].tolist() or [int(own.argmax())]
    start, power = number * PARTS, float(own[on].mean())
    if before is None:
        return Timing(start + on[0], start + on[-1], len(on), power)
    share = len(on) / (before.count + len(on))
    return replace(
        before, last=start + on[-1], count=before.count + len(on), power=before.power + share * (power - before.power)
    )


def part_excess(band: BandSlice, floor: torch.Tensor) -> NDArray[np.float64]:
    """Power of parts of a slice and bins over the noise, (PARTS, F), mean of channels; floor: (F, N) noise powers."""
    excess: NDArray[np.float64] = ((band.parts.double() / floor).mean(2) - 1).numpy()
    return excess


@dataclass(frozen=True)
class Signal:
    """A signal as far as it is known. Times from the first sample of the stream.

    ended: whether nothing more is to come. duty: share of the time from start to stop. snr_db: in the occupied band,
    mean of the elements, while it is on. covariance: (N, N), mean over the time it was on and its bins, as received.
    snapshots: number of independent ones that it is of. bins: of the grid.
    """

    id: int
    frequency_hz: float
    bandwidth_hz: float
    start_s: float
    stop_s: float
    duty: float
    snr_db: float
    covariance: torch.Tensor
    snapshots: float
    bins: tuple[int, ...]
    ended: bool = False


def signal_of(number: int, bins: list[int], timing: Timing, activity: Activity) -> Signal:
    """The signal of these bins."""
    grid, counts = activity.grid, activity.count[bins]
    first, last = bins[0], bins[-1]
    excess = torch.zeros(last - first + 1, FINE, dtype=torch.float64)
    own = torch.tensor(bins) - first
    excess[own] = activity.lines[bins] / counts.max()
    chance = (grid.independent(1, grid.n_frames) * float(counts.max()) * activity.n_channels) ** -0.5
    low, width = occupied_band(excess.flatten().numpy(), LINE_SURE * chance)
    power = float(excess.sum()) / width
    slices = float(counts.sum())
    ratio = grid.independent(FINE * len(bins), grid.n_frames) / len(bins)
    part_s = grid.slice_s / PARTS
    return Signal(
        id=number,
        frequency_hz=grid.edge_hz(FINE * first + low + width / 2),
        bandwidth_hz=width * grid.line_hz,
        start_s=timing.first * part_s,
        stop_s=(timing.last + 1) * part_s,
        duty=min(1.0, timing.count / (timing.last + 1 - timing.first)),
        snr_db=10 * float(torch.tensor(max(power, 1e-3)).log10()),
        covariance=activity.total[bins].sum(0) / slices,
        snapshots=slices * ratio,
        bins=tuple(bins),
    )

"""Signals of a band as they come up: from samples to a list of signals, slice by slice."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from doamc.bands.activity import Activity
from doamc.bands.artefacts import Artefacts
from doamc.bands.channels import Channel, Watch
from doamc.bands.detector import Detector, Found
from doamc.bands.grid import FINE, PARTS, BandGrid
from doamc.bands.grouping import Piece, group_bins
from doamc.bands.signal import Signal, Timing, part_excess, signal_of, timed
from doamc.bands.spectra import BandSlice, SpectralCovariances

REGROUP = 5  #: slices after which bins are grouped anew, though no other bin has come into use
HANG_S = 0.5  #: silence after which a signal has ended


@dataclass(eq=False)
class _Live:
    """A signal that has not ended: its bins, and when they were on."""

    id: int
    bins: list[int]
    timing: Timing | None = None
    last: int = -1  # slice


class SignalFinder:
    """push() takes samples as they come and gives the signals that changed; finish() gives those that are left.

    last_id: the greatest number of a signal so far; the next one has the next.
    State: the detector's noise floor, sums of every bin in use, and the signals that have not ended; none grows with
    time. threshold_db: above the detector's own. hang_s: silence after which a signal has ended. channels, masks: as
    `Watch` takes them.
    """

    def __init__(
        self, grid: BandGrid, n_channels: int, threshold_db: float = 0.0, hang_s: float = HANG_S,
        channels: tuple[Channel, ...] = (), masks: tuple[tuple[float, float], ...] = (),
    ) -> None:  # fmt: skip
        self.grid, self.n_channels = grid, n_channels
        self.spectra = SpectralCovariances(grid, n_channels)
        self.detector = Detector(grid, n_channels, threshold_db)
        self.activity = Activity(grid, n_channels)
        self.watch, self.artefacts = Watch(grid, channels, masks), Artefacts()
        self.hang = max(1, round(hang_s / grid.slice_s))
        self.slices = self._parts = 0
        self._live: list[_Live] = []
        self._grouped = torch.zeros(grid.n_bins, dtype=torch.bool)
        self.last_id = 0
        self._snapshots = grid.independent(FINE, grid.n_frames)

    def push(self, samples: NDArray[np.complex64]) -> Iterator[list[Signal]]:
        """For every slice that samples (N, T) complete, the signals that it holds or that ended before it."""
        for band in self.spectra.push(samples):
            yield self.take(band)

    def take(self, band: BandSlice, tell: bool = True) -> list[Signal]:
        """Signals that a slice holds, and those that have ended by it; without `tell`, only the latter."""
        self.slices, self._parts = band.number + 1, band.number * PARTS + len(band.parts)
        if not self.artefacts.alive(band):
            return self._end([s for s in self._live if self._silent(s) > self.hang])
        found = self.detector(band)
        floor = self.detector.floor.power * self.detector.gain
        found = self.watch(self.artefacts.without(band, found, floor))
        ended = self._end([s for s in self._live if self._silent(s) > self.hang or self._another(s, found, band.share)])
        self.activity.update(band, found, floor)
        if self.slices % REGROUP == 0 or not torch.equal(self._grouped, self.activity.in_use):
            self._live = self._matched(self._groups())
            self._grouped = self.activity.in_use.clone()
        on, excess = (found.now | found.lasting).numpy(), part_excess(band, floor)
        changed = []
        for s in self._live:
            if on[s.bins].any():
                s.timing = timed(s.timing, band.number, excess, s.bins, self.n_channels, self.grid)
                s.last = band.number
                if tell:
                    changed.append(self._signal(s, s.timing))
        return ended + changed

    def current(self) -> list[Signal]:
        """All signals that have not ended."""
        return [self._signal(s, s.timing) for s in self._live if s.timing is not None]

    @property
    def now_s(self) -> float:
        """End of the slices so far, s from the first sample."""
        return self._parts * self.grid.slice_s / PARTS

    def finish(self) -> list[Signal]:
        """End all signals, after what is left of a slice.

        One that is on to the end of it is on in what is too short for another part, too.
        """
        rest = self.spectra.rest()
        out = self.take(rest, tell=False) if rest is not None else []
        until = {s.id for s in self._live if s.timing is not None and s.timing.last == self._parts - 1}
        left_s = self.spectra.left / self.grid.sample_rate_hz
        left = [replace(s, stop_s=s.stop_s + left_s) if s.id in until else s for s in self._end(list(self._live))]
        return out + left

    def _signal(self, s: _Live, timing: Timing) -> Signal:
        found = signal_of(s.id, s.bins, timing, self.activity)
        if not self.watch.channels:
            return found
        c = self.watch.channels[self.watch.groups.index(s.bins)]
        return replace(found, frequency_hz=c.frequency_hz, bandwidth_hz=c.bandwidth_hz)

    def _silent(self, s: _Live) -> int:
        return self.slices - 1 - s.last

    def _end(self, signals: Sequence[_Live]) -> list[Signal]:
        out = []
        for s in signals:
            if s.timing is not None:
                out.append(replace(self._signal(s, s.timing), ended=True))
            self.activity.clear(torch.tensor(s.bins))
            self._grouped[s.bins] = False
            self._live.remove(s)
        return out

    def _another(self, s: _Live, found: Found, share: float) -> bool:
        """Whether what begins after a silence in the bins of a signal comes from elsewhere. share: of a slice."""
        if self._silent(s) < 2 or not found.now[s.bins].any():
            return False
        on = [k for k in s.bins if found.now[k]]
        snapshots = share * self._snapshots
        new = Piece(on, (found.white[on].sum(0) * snapshots).numpy(), len(on) * snapshots)
        return not self._piece(s.bins).is_like(new)

    def _piece(self, bins: list[int]) -> Piece:
        a = self.activity
        white = (a.white[bins].sum(0) * self._snapshots).numpy()
        return Piece(list(bins), white, float(a.count[bins].sum()) * self._snapshots)

    def _groups(self) -> list[list[int]]:
        a = self.activity
        if self.watch.channels:
            return [g for g in self.watch.groups if a.in_use[g].any()]
        places = a.in_use.nonzero()[:, 0].tolist()
        snapshots = self._snapshots
        return group_bins(places, a.white[places] * snapshots, a.count[places] * snapshots, a.lines[places].sum(1))

    def _matched(self, groups: list[list[int]]) -> list[_Live]:
        """Signals of groups of bins; each goes on with the identity of the one it shares most with."""
        energy = self.activity.lines.sum(1)
        shares = sorted(
            ((float(energy[list(both)].sum()), -s.id, i, s) for i, g in enumerate(groups) for s in self._live
             if (both := set(g) & set(s.bins))),
            key=lambda x: x[:3], reverse=True,
        )  # fmt: skip
        chosen: dict[int, _Live] = {}
        for _, _, i, s in shares:
            taken = next((k for k, v in chosen.items() if v is s), None)
            if taken is None and i not in chosen:
                chosen[i] = s
            elif taken is None and s.timing is not None:  # it has been taken up into another
                t = chosen[i].timing
                chosen[i].timing = s.timing if t is None else t.joined(s.timing)
                chosen[i].last = max(chosen[i].last, s.last)
        out = []
        for i, g in enumerate(groups):
            if i not in chosen:
                self.last_id += 1
                chosen[i] = _Live(self.last_id, g)
            chosen[i].bins = g
            out.append(chosen[i])
        return out

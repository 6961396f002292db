"""A band as it is received: every active signal told so many times a second, with direction and track.

Samples go through the finder slice by slice. At every update each signal that was there since the last one is refined
from its samples of that time; whole estimates are made elsewhere (`Placer`, in a thread of its own) of the signals that
`wanted` names, and come back by `placed`. A signal without one is told without a direction.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from doamc import __version__
from doamc.bands.finder import SignalFinder
from doamc.bands.identities import Identities
from doamc.bands.message import signal_message, signal_values
from doamc.bands.placing import Place, Placer, refined, rows_of
from doamc.bands.recent import Recent
from doamc.bands.refine import Refined
from doamc.bands.signal import Signal
from doamc.bands.spectra import BandSlice
from doamc.estimates.orientation import oriented
from doamc.estimators.intervals import NORMAL_90
from doamc.protocol import SIGNAL_SCHEMA

MOST_LATE = 64  #: signals that have ended and wait for their place
STALE_S = 3.0  #: after which a place is looked for anew
FAR_RAD = 0.05  #: from its place, at which it is looked for anew at once
KNOWN_MORE = 2.0  #: times as many signals as a place rests on, known of the array by now: it is looked for anew


@dataclass(frozen=True)
class Told:
    """How messages name what they are of. start_s, time: stream and Unix time of the first sample, None: unknown."""

    array: str
    method: str
    channels: tuple[int, ...]
    start_s: float = 0.0
    time: float | None = None
    heading_deg: float | None = None


class LiveBand:
    """Messages of ``doamc.signal/1`` from samples as they come.

    placer: for whoever makes whole estimates. update_s: time between two updates, about: whole slices. identities:
    tracks, or None for none. unplaced: signals that were told without a direction at the end. Memory: that of the
    finder, and a place for each signal that has not ended.
    """

    def __init__(
        self, finder: SignalFinder, told: Told, placer: Placer, update_s: float = 0.1,
        identities: Identities | None = None,
    ) -> None:  # fmt: skip
        self.finder, self.told, self.identities, self.placer = finder, told, identities, placer
        self.every = max(1, round(update_s / finder.grid.slice_s))
        self.updates = 0
        self._recent = Recent(finder.activity)
        self._rows = rows_of(told.channels)
        self._places: dict[int, tuple[Place, dict[str, Any]]] = {}
        self._last: dict[int, dict[str, Any]] = {}
        self._due: dict[int, Signal] = {}  # as an update held them: those that are there, and those without a place
        self._late: dict[int, Signal] = {}  # ended, not told yet, since their place is being looked for
        self._far: set[int] = set()
        self._since = 0
        self.unplaced = 0

    @property
    def alive(self) -> frozenset[int]:
        """Numbers of the signals of which something is still to be told."""
        return frozenset(self._due)

    def push(self, samples: NDArray[np.complex64]) -> list[dict[str, Any]]:
        """Messages of the updates that samples (N, T) complete."""
        return [m for band in self.finder.spectra.push(samples) for m in self.take(band)]

    def take(self, band: BandSlice) -> list[dict[str, Any]]:
        """Messages of what has ended by a slice, and of all signals where an update is due."""
        with torch.no_grad():
            out = self._ended(self.finder.take(band, tell=False))
            self._since += 1
            return out + (self._update() if self._since >= self.every else [])

    def update(self) -> list[dict[str, Any]]:
        """Messages of all signals that were there since the last update, none where no slice has come since."""
        with torch.no_grad():
            return self._update() if self._since else []

    def _update(self) -> list[dict[str, Any]]:
        self._since, self.updates = 0, self.updates + 1
        signals = self._recent(self.finder.current())
        there = {s.id: s for s in signals}
        for number in [k for k in self._due if k in self._places and k not in there]:
            del self._due[number]
        for s in signals:
            if s.id in self._places or s.id not in self._due or s.snapshots > self._due[s.id].snapshots:
                self._due[s.id] = s
        return self._told(signals)

    def finish(self) -> list[dict[str, Any]]:
        """Messages of the signals that are left, at the end of the stream. Those without a place are told as they are.

        Call `update` and place what is `wanted` first, so that there are none.
        """
        with torch.no_grad():
            out = self._ended(self.finder.finish())
            late = [self._last_word(s) for s in self._late.values()]
        self.unplaced += len(late)
        self._late.clear()
        return out + late

    def wanted(self, most: int) -> list[Signal]:
        """Signals of which a whole estimate is due.

        Those without one, if there are any; else those that have left their place, or got it when far less was known of
        the array, then the oldest.
        """
        now_s = self.finder.now_s
        new = [s for s in self._due.values() if s.id not in self._places]
        if new:
            return sorted(new, key=lambda s: -s.snapshots * max(s.snr_db, 0.0))[:most]
        known = max((p.bearing.shared for p, _ in self._places.values()), default=1)
        due = []
        for s in self._due.values():
            place = self._places[s.id][0]
            if s.id in self._far or KNOWN_MORE * place.bearing.shared < known:
                due.append((0, place.signal.stop_s, s))
            elif now_s - place.signal.stop_s > STALE_S:
                due.append((1, place.signal.stop_s, s))
        return [s for *_, s in sorted(due, key=lambda x: x[:2])[:most]]

    def placed(self, places: Sequence[Place]) -> list[dict[str, Any]]:
        """Take in whole estimates; messages of signals that have ended meanwhile."""
        t, out = self.told, []
        for p in places:
            if p.signal.id not in self._due:  # it has ended, and was told, before
                continue
            message = signal_message(p.signal, p.bearing, t.array, t.method, t.start_s, t.time, t.heading_deg)
            self._places[p.signal.id] = p, message
            self._far.discard(p.signal.id)
            if p.signal.id in self._late:
                out.append(self._last_word(self._late.pop(p.signal.id)))
        return out

    def has_place(self, number: int) -> bool:
        """Whether there is a whole estimate of a signal."""
        return number in self._places

    def give_up(self, signals: Sequence[Signal]) -> list[dict[str, Any]]:
        """Signals of which no whole estimate can be made; messages of those that have ended meanwhile."""
        for s in signals:
            if s.id not in self._places:
                self._due.pop(s.id, None)
        late = [self._late.pop(s.id) for s in signals if s.id in self._late]
        self.unplaced += len(late)
        return [self._last_word(s) for s in late]

    def _told(self, signals: Sequence[Signal]) -> list[dict[str, Any]]:
        """Messages of signals that are there, refined and followed."""
        known = [(s, self._places[s.id][0]) for s in signals if s.id in self._places]
        now = refined([p for _, p in known], [s for s, _ in known], self._rows)
        found = {s.id: r for (s, _), r in zip(known, now, strict=True)}
        messages, shared = [], []
        for s in signals:
            message = self._message(s)
            if s.id in found:
                place, r = self._places[s.id][0], found[s.id]
                if r is not None:
                    self._move(message, place, r)
                shared += np.degrees(place.shared.numpy()).tolist()
            messages.append(message)
        self._follow(messages, shared)
        for message in messages:
            self._last[message["id"]] = message
        return messages

    def _ended(self, signals: Sequence[Signal]) -> list[dict[str, Any]]:
        """Messages of signals that have ended, but for those whose place is still looked for."""
        out = []
        for s in signals:
            if s.id in self._due and s.id not in self._places and len(self._late) < MOST_LATE:
                self._late[s.id] = s
            else:
                out.append(self._last_word(s))
        return out

    def _last_word(self, s: Signal) -> dict[str, Any]:
        """The last message of a signal, with the directions that it had last."""
        message = self._last.pop(s.id, None)
        if message is None or not message["sources"]:
            message = self._message(s)
            place = self._places.get(s.id)
            if place is not None:
                self._follow([message], np.degrees(place[0].shared.numpy()).tolist())
        for kept in (self._places, self._due):
            kept.pop(s.id, None)
        self._far.discard(s.id)
        return message | signal_values(s, self.told.start_s, self.told.time) | {"ended": True}

    def _follow(self, messages: Sequence[dict[str, Any]], shared_deg: Sequence[float]) -> None:
        if self.identities is not None:
            now_s = self.told.start_s + self.finder.now_s
            self.identities.follow(now_s, messages, shared_deg)

    def _message(self, signal: Signal) -> dict[str, Any]:
        t = self.told
        values = signal_values(signal, t.start_s, t.time) | {"ended": False}
        if signal.id not in self._places:
            head = {"schema": SIGNAL_SCHEMA, "version": __version__, "array": t.array, "method": t.method}
            return head | values | {"n_sources": 0, "sources": [], "fit": None, "track": None}
        message = self._places[signal.id][1]
        return message | values | {"sources": [dict(s) for s in message["sources"]]}

    def _move(self, message: dict[str, Any], place: Place, now: Refined) -> None:
        """Bring the sources of a message to where they are now; one that is lost stays where it was."""
        if place.local is None or bool(now.azimuth.isnan().any()):
            self._far.add(place.signal.id)
            return
        moves = now.azimuth[0] - place.local.azimuth
        if bool((moves.abs() > FAR_RAD).any()):
            self._far.add(place.signal.id)
        std = np.degrees((now.std[0].square() + place.shared.square()).sqrt().numpy())
        gain = 10 * np.log10((now.power[0] / place.power).numpy())
        for source, move, s, g in zip(message["sources"], np.degrees(moves.numpy()), std, gain, strict=True):
            azimuth = source["azimuth_deg"] + float(move)
            half = NORMAL_90 * float(s)
            source |= {"azimuth_deg": azimuth, "std_deg": float(s), "interval_deg": [azimuth - half, azimuth + half]}
            if source["power_db"] is not None and math.isfinite(g):
                source["power_db"] += float(g)
        oriented(message, self.told.heading_deg)

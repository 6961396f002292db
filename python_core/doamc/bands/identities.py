"""Emitters of signals that come and go keep their numbers: a burst after a pause, a slot after a slot, a hop back.

Every source of a signal is a sighting of an emitter, which has a frequency as well; `doamc.tracks` says whose it is.
"""

import math
from collections.abc import Sequence
from typing import Any

from doamc.estimators.intervals import NORMAL_90
from doamc.tracks import Sighting, Track, Tracker, TrackerOptions
from doamc.tracks.sighting import LEAST_STD_DEG

#: new emitters a second: a detector of few false alarms is to be believed, so that a single burst has a number
BIRTHS_S, FALSE_PER_SLICE = 50.0, 0.01
LIFETIME_S = 600.0  #: for which an emitter that is silent may come back, in the mean


class Identities:
    """Adds ``track`` to messages of ``doamc.signal/1`` and to their sources; state: the tracks.

    band_hz: width of the band. together_s: messages whose times differ by less are of one moment. rate_std_deg_s: how
    fast bearings turn.
    """

    def __init__(self, band_hz: float, together_s: float = 0.02, rate_std_deg_s: float = 0.2) -> None:
        options = TrackerOptions(
            births_s=BIRTHS_S, false_per_slice=FALSE_PER_SLICE, lifetime_s=LIFETIME_S, band_hz=band_hz,
            rate_std_deg_s=rate_std_deg_s,
        )  # fmt: skip
        self._tracker, self._together_s = Tracker(options), together_s

    def follow_ended(self, messages: Sequence[dict[str, Any]]) -> None:
        """Signals that have ended, each a sighting at its end. Those of an earlier call ended before."""
        moment: list[dict[str, Any]] = []
        for message in sorted(messages, key=lambda m: float(m["stop_s"])):
            if moment and message["stop_s"] - moment[0]["stop_s"] >= self._together_s:
                self.follow(moment[-1]["stop_s"], moment)
                moment = []
            moment.append(message)
        if moment:
            self.follow(moment[-1]["stop_s"], moment)

    def follow(self, time_s: float, messages: Sequence[dict[str, Any]], shared_deg: Sequence[float] = ()) -> None:
        """Signals of one moment. A time before that of the last call counts as that.

        shared_deg: of each source in turn, the part of its standard deviation that all moments share, where it is
        known; else all of it counts as such, since what a coupling does to a bearing does not average out.
        """
        sources = [(m, s) for m in messages for s in m["sources"]]
        seen = [(m, s, i) for i, (m, s) in enumerate(sources) if s["std_deg"] is not None]
        sightings = [_sighting(m, s, shared_deg[i] if shared_deg else 0.0) for m, s, i in seen]
        last = self._tracker.time_s
        self._tracker.update(time_s if last is None else max(time_s, last), sightings)
        found = {t.sighting: t for t in self._tracker.tracks() if t.sighting is not None}
        for message, source in sources:
            message["track"] = source["track"] = None
        for k, (_, source, i) in enumerate(seen):
            if k in found:
                source["track"] = _track(found[k], shared_deg[i] if shared_deg else float(source["std_deg"]))
        for message in messages:
            tracked = [s for s in message["sources"] if s["track"]]
            powers = [-math.inf if s["power_db"] is None else s["power_db"] for s in tracked]
            strongest = tracked[powers.index(max(powers))] if tracked else None
            message["track"] = strongest["track"]["id"] if strongest else None


def _sighting(message: dict[str, Any], source: dict[str, Any], shared_deg: float) -> Sighting:
    own = math.sqrt(max(source["std_deg"] ** 2 - shared_deg**2, LEAST_STD_DEG**2))
    return Sighting(((source["azimuth_deg"], own, 1.0),), message["frequency_hz"], message["bandwidth_hz"])


def _track(track: Track, shared_deg: float) -> dict[str, Any]:
    """Plain values of a track; its error is that of the filter and what all sightings share."""
    low, high = (end - track.azimuth_deg for end in track.interval_deg)
    middle = track.azimuth_deg + (low + high) / 2 - round((low + high) / 720) * 360
    half = math.hypot((high - low) / 2, NORMAL_90 * shared_deg)
    return {
        "id": track.track, "azimuth_deg": track.azimuth_deg, "std_deg": math.hypot(track.std_deg, shared_deg),
        "interval_deg": [middle - half, middle + half],
    }  # fmt: skip

"""Which output an emitter belongs to, estimate after estimate: the nearest bearing within a gate. numpy only."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from doamc.angles import wrap_deg
from doamc.errors import EstimatorError


@dataclass
class Track:
    """An emitter that is followed: its number, the latest azimuth, and estimates since it was last seen."""

    number: int
    azimuth_deg: float
    missed: int = 0


@dataclass
class BearingTracks:
    """P places, each empty or with a track.

    A source goes on with the track that is nearest, the sum of the distances being the least, if it is within gate_deg.
    Of the sources that are left the strongest begin tracks in the empty places, by ascending azimuth. A track that
    `hold` estimates in a row have not seen leaves its place. The gate grows by the root of the estimates that a track
    has missed, as emitters may move.
    """

    places: int
    gate_deg: float = 6.0
    hold: int = 20
    tracks: list[Track | None] = field(init=False)
    _begun: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.places < 1 or not 0 < self.gate_deg <= 180 or self.hold < 0:
            raise EstimatorError(
                "expected at least one place, a gate of 0 to 180 degrees and hold >= 0, found "
                f"{self.places}, {self.gate_deg} and {self.hold}"
            )
        self.tracks = [None] * self.places

    def update(self, azimuth_deg: Sequence[float], power_db: Sequence[float]) -> list[int | None]:
        """Take in the sources of one estimate; the source of each place, None where it was not seen or is empty."""
        from doamc.estimates.assignment import assign  # late: the room loads zmq, and blocks import this file

        followed = [k for k, track in enumerate(self.tracks) if track is not None]
        place_of: dict[int, int] = {}
        if followed and len(azimuth_deg):
            # a source beyond the gate costs more than leaving any track alone
            away = np.array([[self._away(k, azimuth) for azimuth in azimuth_deg] for k in followed])
            alone = np.full((len(followed), len(followed)), 1e3)
            chosen = assign(np.concatenate([np.where(away <= 1, away, 1e6), alone], 1))
            place_of = {k: source for k, source in zip(followed, chosen, strict=True) if source < len(azimuth_deg)}
        for k in followed:
            self._note(k, None if k not in place_of else float(azimuth_deg[place_of[k]]))
        left = sorted(set(range(len(azimuth_deg))) - set(place_of.values()), key=lambda source: -power_db[source])
        empties = [k for k, track in enumerate(self.tracks) if track is None]
        begun = sorted(left[: len(empties)], key=lambda source: azimuth_deg[source])
        for empty, source in zip(empties, begun, strict=False):
            self.tracks[empty] = Track(self._begun, float(azimuth_deg[source]))
            self._begun += 1
            place_of[empty] = source
        return [place_of.get(k) for k in range(self.places)]

    def _away(self, place: int, azimuth_deg: float) -> float:
        """Distance of a source from a track, in gates."""
        track = self.tracks[place]
        assert track is not None
        return abs(wrap_deg(azimuth_deg - track.azimuth_deg)) / (self.gate_deg * math.sqrt(1 + track.missed))

    def _note(self, place: int, azimuth_deg: float | None) -> None:
        track = self.tracks[place]
        assert track is not None
        if azimuth_deg is not None:
            track.azimuth_deg, track.missed = azimuth_deg, 0
            return
        track.missed += 1
        if track.missed > self.hold:
            self.tracks[place] = None

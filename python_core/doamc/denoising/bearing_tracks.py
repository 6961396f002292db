"""Which output an emitter belongs to, estimate after estimate: places for the tracks of `doamc.tracks`. numpy only."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from doamc.errors import EstimatorError
from doamc.tracks import Sighting, Track, Tracker, TrackerOptions
from doamc.tracks.sighting import LEAST_STD_DEG

STD_DEG = 1.0  #: error of a bearing that is told without one
LEAST = 0.1  #: probability of existence below which an emitter loses its place


@dataclass
class Followed:
    """An emitter with a place: the number of its track, its azimuth, and estimates since it was last seen."""

    number: int
    azimuth_deg: float
    missed: int = 0


@dataclass
class BearingTracks:
    """P places, each empty or with an emitter that is followed.

    Emitters without a place take those that are empty, the strongest ones, by ascending azimuth. One that `hold`
    estimates in a row have not seen leaves its place. rate_deg_s: how fast bearings turn, standard deviation.
    """

    places: int
    rate_deg_s: float = 1.0
    hold: int = 20
    tracks: list[Followed | None] = field(init=False)
    _tracker: Tracker = field(init=False)

    def __post_init__(self) -> None:
        if self.places < 1 or self.hold < 0:
            raise EstimatorError(f"expected at least one place and hold >= 0, found {self.places} and {self.hold}")
        self._tracker = Tracker(TrackerOptions(rate_std_deg_s=self.rate_deg_s))
        self.tracks = [None] * self.places

    def update(
        self,
        time_s: float,  # one before that of the last estimate counts as that
        azimuth_deg: Sequence[float],
        power_db: Sequence[float],
        std_deg: Sequence[float | None] = (),  # left out, `STD_DEG`
    ) -> list[int | None]:
        """Take in the sources of one estimate; the source of each place, None where it was not seen or is empty."""
        last = self._tracker.time_s
        told = std_deg or [None] * len(azimuth_deg)
        spread = [STD_DEG if std is None else max(std, LEAST_STD_DEG) for std in told]
        seen = [Sighting(((azimuth, std, 1.0),)) for azimuth, std in zip(azimuth_deg, spread, strict=True)]
        self._tracker.update(time_s if last is None else max(time_s, last), seen)
        known = {track.track: track for track in self._tracker.tracks(LEAST)}
        self.tracks = [self._followed(place, known) for place in self.tracks]
        held = {place.number for place in self.tracks if place is not None}
        free = {t.sighting: t for t in known.values() if t.sighting is not None and t.track not in held}
        empties = [k for k, place in enumerate(self.tracks) if place is None]
        begun = sorted(free, key=lambda source: -power_db[source])[: len(empties)]
        for k, source in zip(empties, sorted(begun, key=lambda source: azimuth_deg[source]), strict=False):
            self.tracks[k] = Followed(free[source].track, free[source].azimuth_deg)
        return [None if p is None or p.missed else known[p.number].sighting for p in self.tracks]

    def _followed(self, place: Followed | None, known: dict[int, Track]) -> Followed | None:
        """An emitter after an estimate; None where it leaves its place."""
        if place is None or place.number not in known:
            return None
        track = known[place.number]
        missed = 0 if track.sighting is not None else place.missed + 1
        return Followed(place.number, track.azimuth_deg, missed) if missed <= self.hold else None

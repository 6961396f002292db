"""The tracker: existing emitters are moved, weighed against the sightings of a slice, and joined by new ones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.angles import wrap_deg
from doamc.errors import EstimatorError
from doamc.tracks.association import marginals
from doamc.tracks.emission import after_slice, pass_time
from doamc.tracks.interval import quantiles
from doamc.tracks.likelihood import Slice, bearing_density, frequency_ratio, seen_mixture
from doamc.tracks.mixture import TURN, Array, Mixture
from doamc.tracks.motion import transition
from doamc.tracks.options import TrackerOptions
from doamc.tracks.sighting import Sighting

FORGOTTEN = 1e-3  #: probability of existence below which an emitter is given up
SURE = 0.9  #: probability of existence from which an emitter gets a number
MOST = 256  #: emitters kept at most, the likeliest; what a flood of sightings can cost is bounded so


@dataclass(frozen=True)
class Track:
    """An emitter as the tracker knows it after a slice; angles in degrees, the interval holds 90 %."""

    track: int  #: its number from when it was sure first, which lasts
    azimuth_deg: float
    std_deg: float
    interval_deg: tuple[float, float]
    rate_deg_s: float
    exists: float  #: probability that there is such an emitter
    on: float  #: probability that it is on the air, if it exists
    frequency_hz: float | None
    bandwidth_hz: float
    sighting: int | None  #: index of the sighting of the last slice that is likelier its own than not


class Tracker:
    """Follows emitters through slices; see the room's docstring for the method. Times never run back."""

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self.options = options or TrackerOptions()
        self.time_s: float | None = None
        self._next = 1
        self._empty()

    def _empty(self) -> None:
        k = self.options.components
        self._mixture = Mixture(np.zeros((0, k)), np.zeros((0, k, 2)), np.zeros((0, k, 2, 2)))
        nothing: Array = np.zeros(0)
        self._exists = self._on = self._frequency = self._bandwidth = nothing
        none: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._label = self._sighting = none

    def update(self, time_s: float, sightings: Sequence[Sighting]) -> None:
        """Take in the sightings of the slice at `time_s`, which may be none.

        Raises EstimatorError for a time that is not finite or before that of the last slice.
        """
        if not (math.isfinite(time_s) and (self.time_s is None or time_s >= self.time_s)):
            raise EstimatorError(f"expected slices in order of time, found {time_s} s after {self.time_s} s")
        o, dt = self.options, 0.0 if self.time_s is None else time_s - self.time_s
        born = 1.0 if self.time_s is None else o.births_s * dt  # what was there before the first slice is new at once
        self.time_s = time_s
        self._mixture = self._mixture.moved(*transition(dt, math.radians(o.rate_std_deg_s), o.rate_time_s))
        self._exists, self._on = pass_time(self._exists, self._on, dt, o)
        seen = Slice.of(sightings)
        density, apart, variance = bearing_density(self._mixture, seen)
        likelihood = density.sum((2, 3)) * frequency_ratio(self._frequency, self._bandwidth, seen, o)
        oversight = self._on * o.detected
        anew = (o.false_per_slice + born) / TURN
        ratio = (self._exists * oversight / (1 - self._exists * oversight))[:, None] * likelihood / anew
        pair, missed, strange = marginals(ratio)
        self._exists, self._on, unseen = after_slice(self._exists, self._on, missed, o.detected)
        given = pair / self._exists[:, None]
        self._mixture = seen_mixture(self._mixture, unseen, given, density, apart, variance).reduced(o.components)
        self._frequency = _followed(self._frequency, given, seen.frequency)
        self._bandwidth = _followed(self._bandwidth, given, seen.bandwidth)
        self._sighting = np.column_stack((np.full(len(pair), 0.5), pair)).argmax(1) - 1
        self._add(seen, np.asarray(strange * born / (o.false_per_slice + born)))
        sure = (self._label == 0) & (self._exists >= SURE)
        self._label[sure] = self._next + np.arange(sure.sum())
        self._next += int(sure.sum())
        keep = np.argsort(-self._exists, kind="stable")[:MOST]
        self._keep(np.sort(keep[self._exists[keep] > FORGOTTEN]))

    def _add(self, seen: Slice, exists: Array) -> None:
        """A new emitter for every sighting, with the probability that it is one."""
        m, j = seen.share.shape
        cov = np.zeros((m, j, 2, 2))
        cov[..., 0, 0] = seen.std**2
        cov[..., 1, 1] = math.radians(self.options.rate_std_deg_s) ** 2
        mean = np.stack((seen.azimuth, np.zeros_like(seen.azimuth)), -1)
        new = Mixture(seen.share, mean, cov).reduced(self.options.components)
        old = self._mixture
        self._mixture = Mixture(
            np.concatenate((old.weight, new.weight)),
            np.concatenate((old.mean, new.mean)),
            np.concatenate((old.cov, new.cov)),
        )
        self._exists = np.concatenate((self._exists, exists))
        self._on = np.concatenate((self._on, np.ones(m)))
        self._frequency = np.concatenate((self._frequency, seen.frequency))
        self._bandwidth = np.concatenate((self._bandwidth, seen.bandwidth))
        self._label = np.concatenate((self._label, np.zeros(m, dtype=int)))
        self._sighting = np.concatenate((self._sighting, np.arange(m)))

    def _keep(self, index: NDArray[np.intp]) -> None:
        self._mixture = self._mixture.rows(index)
        for name in ("_exists", "_on", "_frequency", "_bandwidth", "_label", "_sighting"):
            setattr(self, name, getattr(self, name)[index])

    def tracks(self, least: float = 0.5) -> list[Track]:
        """Emitters that were sure once and still exist with a probability of at least `least`, the oldest first."""
        index = np.flatnonzero((self._label > 0) & (self._exists >= least))
        index = index[np.argsort(self._label[index])]
        mixture, shared = self._mixture.rows(index), math.radians(self.options.shared_std_deg)
        centre = np.degrees(mixture.centre())
        std = np.degrees(np.hypot(mixture.std(), shared))
        ends = np.degrees(quantiles(mixture, 0.9, shared))
        rate = np.degrees((mixture.weight * mixture.mean[..., 1]).sum(1))
        return [
            Track(
                track=int(self._label[i]),
                azimuth_deg=float(wrap_deg(centre[n])),
                std_deg=float(std[n]),
                interval_deg=(float(centre[n] + ends[n, 0]), float(centre[n] + ends[n, 1])),
                rate_deg_s=float(rate[n]),
                exists=float(self._exists[i]),
                on=float(self._on[i]),
                frequency_hz=None if math.isnan(self._frequency[i]) else float(self._frequency[i]),
                bandwidth_hz=float(self._bandwidth[i]),
                sighting=None if self._sighting[i] < 0 else int(self._sighting[i]),
            )
            for n, i in enumerate(index)
        ]


def _followed(known: Array, given: Array, found: Array) -> Array:
    """Values (T,) a quarter of the way to those of sightings (M,), times the probability (T, M) of being theirs."""
    return known + np.nan_to_num(given * (found - known[:, None])).sum(1) / 4

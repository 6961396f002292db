"""Bearings of several stations that may be of one emitter, as arrays, with what each is likely to be off by."""

from dataclasses import dataclass, replace

import numpy as np

from doamc.places.geodesy import east_north, ecef_m

#: least deviation of a bearing, rad: one of zero would leave the others without weight
LEAST_STD = np.radians(0.01)


@dataclass(frozen=True)
class BearingSet:
    """M observations of K alternatives each: directions of which at most one is the emitter's.

    station: (M,) number of the station, from 0. latitude, longitude: (M,) where it stood, rad. bearing, std: (M, K)
    rad, clockwise from true north. weight: (M, K), share of each alternative, a row's sum is 1; 0 where there is none.
    outlier: (M,), probability that none of them is the emitter's. heading_std: (S,) deviation of the error that all
    bearings of a station share, rad.
    """

    station: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    bearing: np.ndarray
    std: np.ndarray
    weight: np.ndarray
    outlier: np.ndarray
    heading_std: np.ndarray

    def __len__(self) -> int:
        return len(self.station)

    @property
    def baseline_m(self) -> float:
        """Distance as `distance_m` has it: 0 where all bearings are of one place."""
        return distance_m(self.latitude, self.longitude)

    @property
    def directions(self) -> np.ndarray:
        """Unit vectors along the bearings, (M, K, 3), Earth-centred."""
        frame = east_north(self.latitude, self.longitude)
        return np.sin(self.bearing)[..., None] * frame[:, None, 0] + np.cos(self.bearing)[..., None] * frame[:, None, 1]

    def select(self, index: np.ndarray) -> "BearingSet":
        """Some of the observations."""
        rows = ("station", "latitude", "longitude", "bearing", "std", "weight", "outlier")
        return replace(self, **{name: getattr(self, name)[index] for name in rows})

    def without(self, taken: np.ndarray) -> "BearingSet":
        """Without alternatives, (M, K) true where one is taken; observations that have no others are left out."""
        weight = np.where(taken, 0.0, self.weight)
        total = weight.sum(1)
        left = total > 0
        return replace(self, weight=weight / np.where(left, total, 1.0)[:, None]).select(np.flatnonzero(left))


def distance_m(latitude: np.ndarray, longitude: np.ndarray) -> float:
    """Longest distance of places, rad, from the first of them, m."""
    x = ecef_m(latitude, longitude)
    return float(np.linalg.norm(x - x[:1], axis=1).max(initial=0.0))


def thinned(count: int, most: int) -> np.ndarray:
    """Numbers of at most so many of `count` observations, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))

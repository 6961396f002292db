"""Places from which a search for the emitter begins: where bearings cross, and along them."""

from itertools import combinations

import numpy as np

from doamc.angles import wrap_rad
from doamc.places.bearings import BearingSet, thinned
from doamc.places.crossing import nearest_to_lines
from doamc.places.density import Density
from doamc.places.geodesy import bearing_of, east_north, ecef_m, moved

#: lines that are crossed with each other, places along each, observations that places are scored with, places kept
_LINES, _RANGES, _SCORED, _MOST = 32, 10, 256, 6
#: places that are seen under the same bearings, by so many deviations of single ones, are one
_APART = 3.0
#: places that are worse by so much than the best, as a logarithm, are none: no step of a search gains that
_WORSE = 30.0
#: least sine of the angle between two lines that are crossed
_LEAST_SINE = 1e-3


def starts(density: Density) -> list[tuple[float, float]]:
    """At most `_MOST` places, rad, that single bearings tell from each other, the likeliest first."""
    b = density.bearings
    some = Density(b.select(thinned(len(b), _SCORED)), density.region_m)
    points = _candidates(b, density)  # shape: (C, 2), m east and north of the middle
    lat, lon = moved(*density.place, points[:, 0], points[:, 1])
    score = some.score(lat, lon)
    order = np.argsort(-score, kind="stable")
    order = order[score[order] > score.max() - _WORSE]
    lat, lon = lat[order], lon[order]
    few = b.select(thinned(len(b), _LINES))
    seen = bearing_of(few.latitude, few.longitude, ecef_m(lat, lon)[:, None])  # shape: (C, M)
    spread = _APART * np.hypot(few.std.max(1), few.heading_std[few.station])
    kept: list[int] = []
    for i in range(len(lat)):
        if all((np.abs(wrap_rad(seen[i] - seen[k])) > spread).any() for k in kept):
            kept.append(i)
            if len(kept) == _MOST:
                break
    return [(float(lat[i]), float(lon[i])) for i in kept]


def _candidates(b: BearingSet, density: Density) -> np.ndarray:
    """Crossings of pairs of lines ahead of their stations, places along lines, and the fix of all lines."""
    axes = east_north(*density.place)
    across = len(b) * b.weight.shape[1]
    chosen = np.flatnonzero((b.weight > 0).reshape(-1)[:across])
    chosen = chosen[thinned(len(chosen), _LINES)]
    row = chosen // b.weight.shape[1]
    station = (ecef_m(b.latitude, b.longitude)[row] - ecef_m(*density.place)) @ axes.T  # shape: (R, 2)
    along = b.directions.reshape(-1, 3)[chosen] @ axes.T
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    reach = density.region_m + density.extent_m
    ranges = np.geomspace(1e-3 * reach, 0.9 * density.region_m, _RANGES)
    points = [(station[:, None] + ranges[:, None] * along[:, None]).reshape(-1, 2)]
    i, j = np.array(list(combinations(range(len(row)), 2)), dtype=np.int64).reshape(-1, 2).T
    sine = along[i, 0] * along[j, 1] - along[i, 1] * along[j, 0]
    i, j, sine = (v[np.abs(sine) > _LEAST_SINE] for v in (i, j, sine))
    between = station[j] - station[i]
    far = (between[:, 0] * along[j, 1] - between[:, 1] * along[j, 0]) / sine
    back = (between[:, 0] * along[i, 1] - between[:, 1] * along[i, 0]) / sine
    points.append((station[i] + far[:, None] * along[i])[(far > 0) & (back > 0)])
    if len(sine):
        std = np.hypot(b.std.reshape(-1)[chosen], b.heading_std[b.station[row]])
        normal = np.stack([along[:, 1], -along[:, 0]], axis=1)
        fix = nearest_to_lines(station, normal, std**-2)
        away = np.maximum(np.linalg.norm(fix - station, axis=1), 1.0)
        points.append(nearest_to_lines(station, normal, (std * away) ** -2)[None])
    every = np.concatenate(points)
    return every[np.linalg.norm(every, axis=1) < 0.99 * density.region_m]

"""The posterior of a place, integrated on a grid that lies along it.

Two stations and an emitter on the line between them leave a lens from one to the other; one that drives at the
emitter, a wedge to the end of the map. Rows of the grid are distances r from the nearest place of a station, spaced as
the distance to the nearest of all such places, since no bearing changes faster than a radian along it; half of them are
then put where the mass is. In each row the nodes close in on the bearings that are likely there, until some stand in
each deviation: lenses are as slim at their ends as they like.
"""

import math

import numpy as np

from doamc.places.density import Density
from doamc.places.evidence import Evidence
from doamc.places.geodesy import below, east_north, ecef_m
from doamc.places.region import Region

#: rows and nodes of a row: while the range is found, and in it
_COARSE, _FINE = (48, 17), (64, 25)
#: how often nodes close in; by how much where the deviation is less than their spacing; nodes reach so many deviations
_ZOOMS, _CLOSER, _REACH = 4, 4.0, 5.0
#: rows that hold less than this of the best are beyond the range
_LEAST_MASS = 1e-6
#: nearest range, m; least spacing of rows, of the range
_NEAR_M, _LEAST_SPACING = 1.0, 0.02
#: rows end at this part of the way to the end of the map
_END = 0.999
#: points of a ray that the spacing is integrated with
_RAY = 512


def region_of(density: Density, evidence: Evidence, near: tuple[float, float]) -> Region | None:
    """The posterior about the place of a station that is nearest to `near`, rad; None where there is none."""
    centre = int(np.argmin(((evidence.at - ecef_m(*near)) ** 2).sum(1)))
    start, half = evidence.bearing[centre], min(_REACH * evidence.std[centre], np.pi)
    grid = _Grid(density, evidence, centre)
    rows = grid.rows(_NEAR_M, grid.end_m(start), start, _COARSE[0])
    middle, width = np.full(len(rows), start), np.full(len(rows), half)
    middle, width = grid.closed_in(rows, middle, width, _COARSE[1], _ZOOMS)
    mass, *_ = grid.masses(rows, middle, width, _COARSE[1])
    if not mass.max() > 0:
        return None
    held = np.flatnonzero(mass.sum(1) > _LEAST_MASS * mass.sum(1).max())
    first, last = max(held[0] - 1, 0), min(held[-1] + 1, len(rows) - 1)
    share = mass.sum(1)[first : last + 1] / mass.sum()
    part = np.linspace(0.0, 1.0, len(share)) + np.cumsum(share) - 0.5 * share  # half of them where the mass is
    fine = np.interp(np.linspace(part[0], part[-1], _FINE[0]), part, rows[first : last + 1])
    fine = np.minimum(fine, grid.end_m(float(middle[held].mean())))
    middle, width = (np.interp(fine, rows, v) for v in (middle, width))
    middle, width = grid.closed_in(fine, middle, np.minimum(2 * width, half), _FINE[1], 2)
    mass, log, x, top = grid.masses(fine, middle, width, _FINE[1])
    total = float(mass.sum())
    mean = (mass[..., None] * x).sum((0, 1)) / total
    lat, lon = below(mean)
    place = float(lat), float(lon)
    away = (x - ecef_m(*place)) @ east_north(*place).T
    covariance = np.einsum("rt,rti,rtj->ij", mass / total, away, away)
    return Region(evidence, x, mass / total, log, top + math.log(total), last == len(rows) - 1, place, covariance)


class _Grid:
    """Polar coordinates about a place of a station."""

    def __init__(self, density: Density, evidence: Evidence, centre: int) -> None:
        self._density, self._evidence, self._x = density, evidence, evidence.at[centre]
        lat, lon = below(self._x)
        self._axes = east_north(lat, lon)

    def end_m(self, bearing: float) -> float:
        """Distance to the end of the map, m."""
        from_middle = self._axes @ (self._x - ecef_m(*self._density.place))
        along = float(from_middle @ [math.sin(bearing), math.cos(bearing)])
        return _END * (math.sqrt(along**2 + self._density.region_m**2 - float(from_middle @ from_middle)) - along)

    def rows(self, near_m: float, far_m: float, bearing: float, count: int) -> np.ndarray:
        """Distances, (count,) m, between two, spaced as the nearest place of a station is away."""
        ray = np.geomspace(near_m, far_m, _RAY)
        x = self._places(ray[:, None], np.array([[bearing]]))[:, 0]
        away = np.linalg.norm(x[:, None] - self._evidence.at, axis=-1).min(1)
        step = np.maximum(away, _LEAST_SPACING * ray)
        passed = np.concatenate([[0.0], np.cumsum(np.diff(ray) * 0.5 * (1 / step[1:] + 1 / step[:-1]))])
        return np.interp(np.linspace(0.0, passed[-1], count), passed, ray)

    def closed_in(
        self, rows: np.ndarray, middle: np.ndarray, width: np.ndarray, count: int, zooms: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Middle and half width, (R,) rad, of the bearings that are likely at each distance."""
        for _ in range(zooms):
            nodes = self._nodes(middle, width, count)
            log = self._log(self._places(rows[:, None], nodes))[0]
            share = np.exp(log - log.max(1, keepdims=True))
            share /= share.sum(1, keepdims=True)
            mean = (share * nodes).sum(1)
            std = np.sqrt((share * (nodes - mean[:, None]) ** 2).sum(1))
            middle = mean
            width = np.minimum(width, np.maximum(_REACH * std, width / _CLOSER))
        return middle, width

    def masses(
        self, rows: np.ndarray, middle: np.ndarray, width: np.ndarray, count: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """Mass of every node, (R, T), over the exponential of the last; likelihood; places; logarithm of the most."""
        nodes = self._nodes(middle, width, count)
        x = self._places(rows[:, None], nodes)
        log, prior = self._log(x)
        top = float((log + prior).max())
        if not math.isfinite(top):
            return np.zeros_like(log), log, x, 0.0
        along = np.gradient(rows) * np.where(np.isin(np.arange(len(rows)), (0, len(rows) - 1)), 0.5, 1.0)
        return np.exp(log + prior - top) * (rows * along * 2 * width / (count - 1))[:, None], log, x, top

    def _log(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self._evidence.log(x), self._density.prior(x)

    def _nodes(self, middle: np.ndarray, width: np.ndarray, count: int) -> np.ndarray:
        return middle[:, None] + width[:, None] * np.linspace(-1.0, 1.0, count)

    def _places(self, r: np.ndarray, bearing: np.ndarray) -> np.ndarray:
        """Places on the ellipsoid, (R, T, 3) m."""
        plane = np.stack([r * np.sin(bearing), r * np.cos(bearing)], axis=-1)
        return ecef_m(*below(self._x + plane @ self._axes))

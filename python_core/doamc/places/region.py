r"""The posterior of a place as it is, where it is no ellipse: mass on a grid, and the region that holds most of it.

Two stations and an emitter on the line between them leave a lens from one to the other; one that drives at the
emitter, a wedge to the end of the map. Rows of the grid are distances r from the nearest place of a station, spaced as
the distance to the nearest of all such places, since no bearing changes faster than a radian along it. In each row the
nodes close in on the bearings that are likely there, until some stand in each deviation: lenses are as slim at their
ends as they like.

The region of a probability is where the likelihood is above a level ([Evans-Guttman-Swartz]): with a uniform prior the
highest density, and unlike that the same in any coordinates. So it holds an emitter near the end of a lens as often as
one in its middle.
"""

import math
from dataclasses import dataclass

import numpy as np

from doamc.places.crossing import error_ellipse
from doamc.places.density import Density
from doamc.places.evidence import Evidence
from doamc.places.geodesy import below, east_north, ecef_m

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


@dataclass(frozen=True)
class Region:
    """Nodes of the grid, (R, T): rows of equal distance from a place, and bearings there, ascending.

    x: (R, T, 3) m, Earth-centred. mass: (R, T), sums to 1. log: (R, T), likelihood. log_mass: logarithm of the integral
    of likelihood and prior. to_end: whether the last row is at the end of the map.
    place: the mean, latitude and longitude, rad. covariance: (2, 2) m^2, east and north.
    """

    evidence: Evidence
    x: np.ndarray
    mass: np.ndarray
    log: np.ndarray
    log_mass: float
    to_end: bool
    place: tuple[float, float]
    covariance: np.ndarray

    def ellipse(self, probability: float) -> tuple[float, float, float]:
        """As `error_ellipse`, about the mean, of the size that holds so much of the mass."""
        away = (self.x - ecef_m(*self.place)) @ east_north(*self.place).T
        square = np.einsum("rti,ij,rtj->rt", away, np.linalg.inv(self.covariance), away).ravel()
        order = np.argsort(square, kind="stable")
        at = np.searchsorted(np.cumsum(self.mass.ravel()[order]), probability)
        scale = square[order[min(int(at), len(order) - 1)]] / (-2 * math.log1p(-probability))
        return error_ellipse(scale * self.covariance, probability)

    def level(self, probability: float) -> float:
        """Least likelihood, a logarithm, in the region of a probability."""
        order = np.argsort(-self.log, axis=None, kind="stable")
        at = np.searchsorted(np.cumsum(self.mass.ravel()[order]), probability)
        return float(self.log.ravel()[order[min(int(at), len(order) - 1)]])

    def holds(self, x: np.ndarray, probability: float) -> bool:
        """Whether an Earth-centred place, (3,) m, is in the region of a probability."""
        return float(self.evidence.log(x)) >= self.level(probability)

    def bounded(self, probability: float) -> bool:
        """Whether the region of a probability ends before the map does."""
        return not (self.to_end and bool((self.log[-1] >= self.level(probability)).any()))

    def outlines(self, probability: float) -> list[np.ndarray]:
        """Polygons of the region, (C, 2) each: latitude and longitude, rad, of corners, counter-clockwise."""
        log, level = np.where(self.mass > 0, self.log, -np.inf), self.level(probability)
        rows = np.flatnonzero((log >= level).any(1))
        best, outlines = log.argmax(1).tolist(), []
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            first, last = int(run[0]), int(run[-1])
            nodes = [(int(r), np.flatnonzero(log[r] >= level).tolist()) for r in run]
            corners = [self._edge(log, level, (r, n[-1]), (r, n[-1] + 1)) for r, n in nodes]
            if last + 1 < len(log):
                corners.append(self._edge(log, level, (last, best[last]), (last + 1, best[last + 1])))
            corners += [self._edge(log, level, (r, n[0]), (r, n[0] - 1)) for r, n in reversed(nodes)]
            if first > 0:
                corners.append(self._edge(log, level, (first, best[first]), (first - 1, best[first - 1])))
            outlines.append(np.column_stack(below(np.array(corners))))
        return outlines

    def _edge(self, log: np.ndarray, level: float, node: tuple[int, int], beyond: tuple[int, int]) -> np.ndarray:
        """Where the likelihood falls below a level between a node and another; at the node where there is no other."""
        if not 0 <= beyond[1] < log.shape[1] or not math.isfinite(log[beyond]):
            return self.x[node]
        part = (log[node] - level) / max(log[node] - log[beyond], 1e-9)
        edge: np.ndarray = self.x[node] + min(part, 1.0) * (self.x[beyond] - self.x[node])
        return edge


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

"""The posterior of a place where it is no ellipse: its mass on a grid, and the region that holds most of it.

The region of a probability is where the likelihood is above a level ([Evans-Guttman-Swartz]): with a uniform prior the
highest density, and unlike that the same in any coordinates. So it holds an emitter near the end of a long region as
often as one in its middle.
"""

import math
from dataclasses import dataclass

import numpy as np

from doamc.places.crossing import error_ellipse
from doamc.places.evidence import Evidence
from doamc.places.geodesy import below, east_north, ecef_m


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
        best: list[int] = log.argmax(1).tolist()
        outlines = []
        for run in np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1):
            first, last = int(run[0]), int(run[-1])
            inside = [(r, np.flatnonzero(log[r] >= level)) for r in range(first, last + 1)]
            ends = [(r, int(n[0]), int(n[-1])) for r, n in inside]
            corners = [self._edge(log, level, (r, high), (r, high + 1)) for r, _, high in ends]
            if last + 1 < len(log):
                corners.append(self._edge(log, level, (last, best[last]), (last + 1, best[last + 1])))
            corners += [self._edge(log, level, (r, low), (r, low - 1)) for r, low, _ in reversed(ends)]
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

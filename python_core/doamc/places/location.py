"""Emitters from bearings: the modes of the density, each with its covariance and its share of the probability.

A mode is climbed from each of `starts`; its evidence is that of Laplace, `p |2 pi covariance|^(1/2)`.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from doamc.places.bearings import BearingSet
from doamc.places.crossing import error_ellipse
from doamc.places.density import Density
from doamc.places.geodesy import east_north, ecef_m
from doamc.places.mode import climb
from doamc.places.starts import starts

#: candidates are told whose evidence is within this of the best, as a logarithm: a twentieth of it
WITHIN = 3.0
#: a fix is told rather than the line of one bearing, the others being wrong, unless its evidence is less by this
_RATHER = 6.0
#: evidence that another emitter must have over bearings that come by chance, as a logarithm
_CERTAIN = math.log(100.0)
#: places closer than this are one, m: a station that stands
STANDING_M = 1.0
#: of the radius of the region: what is found beyond it is at its edge
_EDGE = 0.98


@dataclass(frozen=True)
class Location:
    """A place where an emitter may be.

    latitude, longitude: rad. covariance: (2, 2) m^2, east and north. evidence: logarithm of the probability of the
    bearings with the emitter there. probability: its share among the candidates. bounded: whether the bearings tell
    how far it is. share: (M, K), probability that an alternative of an observation is the emitter's. heading: (S,)
    errors of the stations' headings, rad.
    """

    latitude: float
    longitude: float
    covariance: np.ndarray
    evidence: float
    bounded: bool
    share: np.ndarray
    heading: np.ndarray
    probability: float = 1.0

    def ellipse(self, probability: float) -> tuple[float, float, float]:
        """Semi-axes, m, and the bearing of the longer, deg, of the ellipse that holds the emitter so often."""
        return error_ellipse(self.covariance, probability)


@dataclass(frozen=True)
class Emitter:
    """An emitter: bearings that it was looked for in, and candidates for its place, the likeliest first."""

    bearings: BearingSet
    candidates: list[Location]


def locate(bearings: BearingSet, region_m: float, most: int = 1) -> list[Emitter]:
    """At most `most` emitters, one after the other: the bearings of one are not those of the next.

    region_m: radius of the region about the stations. The first is taken to be there; each further one must be a
    hundred times as probable as that what is left comes by chance. Empty where all bearings are of one place.
    """
    found: list[Emitter] = []
    while len(found) < most and len(bearings) and bearings.baseline_m >= STANDING_M:
        density = Density(bearings, region_m)
        candidates = _candidates(density)
        if not candidates or (found and candidates[0].evidence - density.by_chance < _CERTAIN):
            break
        found.append(Emitter(bearings, candidates))
        bearings = bearings.without(candidates[0].share > 0.5)
    return found


def _candidates(density: Density) -> list[Location]:
    modes: list[Location] = []
    for start in starts(density):
        top = climb(density, *start)
        if top is None:
            continue
        latitude, longitude = top.place
        bounded = _bounded(density, top.place, top.covariance)
        mode = Location(latitude, longitude, top.covariance, top.evidence, bounded, top.point.share, top.heading)
        if not any(_same(mode, other) for other in modes):
            modes.append(mode)
    modes.sort(key=lambda m: -m.evidence)
    fixes = [m for m in modes if m.bounded and m.evidence >= modes[0].evidence - _RATHER] or modes[:1]
    modes = [m for m in fixes if m.evidence >= fixes[0].evidence - WITHIN]
    share = np.exp([m.evidence - modes[0].evidence for m in modes]) if modes else np.zeros(0)
    return [replace(m, probability=float(p)) for m, p in zip(modes, share / share.sum(), strict=True)]


def _bounded(density: Density, place: tuple[float, float], covariance: np.ndarray) -> bool:
    """Whether the place is not at the edge of the region, and an infinite range is outside of its 90 % ellipse.

    Bearings tell of 1 / range: r with a spread of s is 1 / r with s / r^2, so zero is outside where s is less than r.
    """
    b, x = density.bearings, ecef_m(*place)
    farthest = float(np.linalg.norm(x - ecef_m(b.latitude, b.longitude), axis=1).max())
    out = float(np.linalg.norm(x - ecef_m(*density.place)))
    return error_ellipse(covariance, 0.9)[0] < farthest and out < _EDGE * density.region_m


def _same(mode: Location, other: Location) -> bool:
    """Whether two modes are one, within a tenth of a deviation."""
    away = (ecef_m(mode.latitude, mode.longitude) - ecef_m(other.latitude, other.longitude)) @ east_north(
        other.latitude, other.longitude
    ).T
    return float(away @ np.linalg.solve(other.covariance, away)) < 0.1

"""Emitters from bearings: the modes of the density, each with its covariance and its share of the probability.

A mode is climbed from each of `starts`; its evidence is that of Laplace, `p |2 pi covariance|^(1/2)`. Where the range
is not known to a tenth, or there is no top, the density is no Gaussian: it is integrated over the region about it.
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from doamc.places.bearings import BearingSet
from doamc.places.crossing import error_ellipse
from doamc.places.density import Density
from doamc.places.evidence import Evidence
from doamc.places.geodesy import east_north, ecef_m
from doamc.places.grid import region_of
from doamc.places.mode import Mode, climb
from doamc.places.region import Region
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
#: greatest deviation of a range, of the range, with which a mode is a Gaussian
_GAUSSIAN = 0.1
#: probability of the region that has to end for a place to be bounded; of one in which modes are the same
_BOUNDED, _SAME = 0.9, 0.99


@dataclass(frozen=True)
class Location:
    """A place where an emitter may be.

    latitude, longitude: rad. covariance: (2, 2) m^2, east and north. evidence: logarithm of the probability of the
    bearings with the emitter there. probability: its share among the candidates. bounded: whether the bearings tell
    how far it is. share: (M, K), probability that an alternative of an observation is the emitter's. heading: (S,)
    errors of the stations' headings, rad. region: the posterior where it is no Gaussian; the place is then its mean.
    """

    latitude: float
    longitude: float
    covariance: np.ndarray
    evidence: float
    bounded: bool
    share: np.ndarray
    heading: np.ndarray
    region: Region | None = None
    probability: float = 1.0

    def ellipse(self, probability: float) -> tuple[float, float, float]:
        """Semi-axes, m, and the bearing of the longer, deg, of the ellipse that holds the emitter so often."""
        return error_ellipse(self.covariance, probability) if self.region is None else self.region.ellipse(probability)


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
    found: list[Location] = []
    for start in starts(density):
        top = climb(density, *start)
        if top is None or any(m.region is not None and _same(top.place, top.point.share, m) for m in found):
            continue
        location = _location(density, top)
        if location is not None:
            found.append(location)
    modes: list[Location] = []
    for m in sorted(found, key=lambda m: -m.evidence):
        if not any(_same((m.latitude, m.longitude), m.share, other) for other in modes):
            modes.append(m)
    fixes = [m for m in modes if m.bounded and m.evidence >= modes[0].evidence - _RATHER] or modes[:1]
    modes = [m for m in fixes if m.evidence >= fixes[0].evidence - WITHIN]
    share = np.exp([m.evidence - modes[0].evidence for m in modes]) if modes else np.zeros(0)
    return [replace(m, probability=float(p)) for m, p in zip(modes, share / share.sum(), strict=True)]


def _location(density: Density, top: Mode) -> Location | None:
    place, covariance, evidence, heading, region = top.place, top.covariance, top.evidence, top.heading, None
    if top.point.share.sum() < 0.5:  # no bearing is this emitter's
        return None
    x = ecef_m(*place)
    bounded = float(np.linalg.norm(x - ecef_m(*density.place))) < _EDGE * density.region_m
    if covariance is None or top.spread > _GAUSSIAN:
        told = Evidence(density, top.point.share)
        region = region_of(density, told, place)
        if region is None:
            return None
        evidence = top.log_density + region.log_mass - float(told.log(x) + density.prior(x))
        place, covariance, bounded = region.place, region.covariance, region.bounded(_BOUNDED)
        heading = told.headings(ecef_m(*place))
    return Location(*place, covariance, evidence, bounded, top.point.share, heading, region)


def _same(place: tuple[float, float], share: np.ndarray, other: Location) -> bool:
    """Whether a mode is another: by the same bearings within its region, or within a tenth of its deviation."""
    x = ecef_m(*place)
    if other.region is not None:
        return bool(np.abs(share - other.share).max() < 0.5) and other.region.holds(x, _SAME)
    at = other.latitude, other.longitude
    away = (x - ecef_m(*at)) @ east_north(*at).T
    return float(away @ np.linalg.solve(other.covariance, away)) < 0.1

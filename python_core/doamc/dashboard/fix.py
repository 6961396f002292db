"""Emitters on the map: bearings of all receivers, crossed."""

import math
from typing import Any

from doamc.angles import bearing_deg
from doamc.dashboard.associate import associate
from doamc.dashboard.receivers import EARTH_RADIUS_M, Receiver, origin
from doamc.places.crossing import cross_bearings, error_ellipse

#: estimates older than this are not crossed with newer ones, s
MAX_AGE_S = 3.0
#: deviation of a bearing whose method gives none, degrees
UNKNOWN_STD_DEG = 5.0
#: greatest deviation, degrees: it allows any direction; larger ones would make the weights too different for arithmetic
NO_BEARING_DEG = 180.0
PROBABILITY = 0.95


def by_strength(view: dict[str, Any]) -> list[dict[str, Any]]:
    """Sources of an estimate, the strongest first; those of unknown power last, in their order."""
    return sorted(view["sources"], key=lambda s: math.inf if s["power_db"] is None else -s["power_db"])


def locate(receivers: list[Receiver], views: list[dict[str, Any] | None], now: float) -> list[dict[str, Any]]:
    """Crossings of the receivers' newest bearings (see `associate`), empty while fewer than two can be crossed.

    east_m, north_m; ellipse that holds the emitter with `PROBABILITY` if the bearings' errors are Gaussian and these
    receivers hear the same one: major_m, minor_m (semi-axes), bearing_deg; misfit: root of chi-square over its degrees
    of freedom, None with two receivers (which always cross); latitude, longitude where the receivers have them.
    """
    positions, bearings = [], []
    for receiver, view in zip(receivers, views, strict=True):
        if view is None or now - view["received"] > MAX_AGE_S or not view["sources"]:
            continue
        heading = view["heading_deg"] if receiver.heading_deg is None else receiver.heading_deg
        if heading is None or receiver.east_m is None or receiver.north_m is None:
            continue
        positions.append((receiver.east_m, receiver.north_m))
        bearings.append([_bearing(source, heading, receiver.heading_std_deg) for source in by_strength(view)])
    if len(bearings) < 2:
        return []
    crossings = []
    for combination in associate(positions, bearings):
        chosen = [b[i] for b, i in zip(bearings, combination, strict=True)]
        found = cross_bearings(positions, [b for b, _ in chosen], [s for _, s in chosen])
        if found is None:
            continue
        major, minor, axis = error_ellipse(found.covariance, PROBABILITY)
        fix: dict[str, Any] = {
            "east_m": found.east_m, "north_m": found.north_m, "major_m": major, "minor_m": minor,
            "bearing_deg": axis, "probability": PROBABILITY, "receivers": len(chosen),
            "misfit": math.sqrt(found.chi2 / (len(chosen) - 2)) if len(chosen) > 2 else None,
        }  # fmt: skip
        if receivers[0].latitude is not None:
            latitude, longitude = origin(receivers)
            scale = math.radians(EARTH_RADIUS_M)
            fix["latitude"] = latitude + found.north_m / scale
            fix["longitude"] = longitude + found.east_m / (scale * math.cos(math.radians(latitude)))
        crossings.append((sum(combination), fix))
    return [fix for _, fix in sorted(crossings, key=lambda c: c[0])]  # that of the strongest bearings first


def _bearing(source: dict[str, Any], heading_deg: float, heading_std_deg: float) -> tuple[float, float]:
    """Bearing and its deviation, rad, clockwise from north."""
    std = UNKNOWN_STD_DEG if source["std_deg"] is None else source["std_deg"]
    spread = min(math.hypot(std, heading_std_deg), NO_BEARING_DEG)
    return math.radians(bearing_deg(source["azimuth_deg"], heading_deg)), math.radians(spread)

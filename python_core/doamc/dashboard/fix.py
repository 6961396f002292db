"""The emitter on the map: the strongest bearings of all receivers, crossed."""

import math
from typing import Any

from doamc.dashboard.crossing import cross_bearings, error_ellipse
from doamc.dashboard.receivers import EARTH_RADIUS_M, Receiver, origin

#: estimates older than this are not crossed with newer ones, s
MAX_AGE_S = 3.0
#: deviation of a bearing whose method gives none, degrees
UNKNOWN_STD_DEG = 5.0
PROBABILITY = 0.95


def strongest(view: dict[str, Any]) -> dict[str, Any] | None:
    """The strongest source of an estimate, None without any; the first where powers are not known."""
    sources = view["sources"]
    return max(sources, key=lambda s: -math.inf if s["power_db"] is None else s["power_db"]) if sources else None


def locate(receivers: list[Receiver], views: list[dict[str, Any] | None], now: float) -> dict[str, Any] | None:
    """Crossing of the receivers' newest strongest bearings, None while fewer than two can be crossed.

    east_m, north_m; ellipse that holds the emitter with `PROBABILITY` if the bearings' errors are Gaussian and these
    receivers hear the same one: major_m, minor_m (semi-axes), bearing_deg; misfit: root of chi-square over its degrees
    of freedom, None with two receivers (which always cross); latitude, longitude where the receivers have them.
    """
    rows = []
    for receiver, view in zip(receivers, views, strict=True):
        if view is None or now - view["received"] > MAX_AGE_S or receiver.heading_deg is None:
            continue
        source = strongest(view)
        if source is None or receiver.east_m is None or receiver.north_m is None:
            continue
        std = UNKNOWN_STD_DEG if source["std_deg"] is None else source["std_deg"]
        bearing, spread = receiver.heading_deg - source["azimuth_deg"], math.hypot(std, receiver.heading_std_deg)
        rows.append(((receiver.east_m, receiver.north_m), math.radians(bearing), math.radians(spread)))
    if len(rows) < 2:
        return None
    found = cross_bearings(*zip(*rows, strict=True))
    if found is None:
        return None
    major, minor, axis = error_ellipse(found.covariance, PROBABILITY)
    fix: dict[str, Any] = {
        "east_m": found.east_m, "north_m": found.north_m, "major_m": major, "minor_m": minor, "bearing_deg": axis,
        "probability": PROBABILITY, "receivers": len(rows),
        "misfit": math.sqrt(found.chi2 / (len(rows) - 2)) if len(rows) > 2 else None,
    }  # fmt: skip
    if receivers[0].latitude is not None:
        latitude, longitude = origin(receivers)
        scale = math.radians(EARTH_RADIUS_M)
        fix["latitude"] = latitude + found.north_m / scale
        fix["longitude"] = longitude + found.east_m / (scale * math.cos(math.radians(latitude)))
    return fix

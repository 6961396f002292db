"""Positions as GeoJSON (RFC 7946), which maps and geographic information systems open."""

import json
import math
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from doamc.angles import wrap_deg
from doamc.places.geodesy import moved
from doamc.places.message import PLACE_DIGITS

#: corners of an ellipse
_CORNERS = 64


def geojson(positions: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Lines of a FeatureCollection of messages ``doamc.position/1``.

    Each is a point, whose properties are the message's, and polygons of its region, or, where that is none but bounded,
    of its ellipse. Coordinates are longitude and latitude; corners follow each other counter-clockwise. What lies
    across 180 degrees is cut there, into polygons on either side.
    """
    yield b'{"type": "FeatureCollection", "features": [\n'
    between = b""
    for position in positions:
        for feature in _features(position):
            yield between + json.dumps(feature, ensure_ascii=False).encode()
            between = b",\n"
    yield b"\n]}\n"


def _features(position: dict[str, Any]) -> Iterator[dict[str, Any]]:
    about = {k: v for k, v in position.items() if k not in ("latitude_deg", "longitude_deg", "region")}
    place = [position["longitude_deg"], position["latitude_deg"]]
    yield {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}, "properties": about}
    region = position.get("region")  # none by releases before 0.2
    if region is not None:
        shape = {
            "type": region["type"],
            "coordinates": [[half] for (ring,) in region["coordinates"] for half in cut(ring)],
        }
    elif position["bounded"]:
        halves = cut(_ring(place[1], place[0], position["ellipse"]))
        shape = {"type": "Polygon", "coordinates": halves}
        if len(halves) > 1:
            shape = {"type": "MultiPolygon", "coordinates": [[half] for half in halves]}
    else:
        return
    named = {k: position[k] for k in ("emitter", "candidate", "frequency_hz", "first_time", "last_time", "ellipse")}
    yield {"type": "Feature", "geometry": shape, "properties": named}


def _ring(latitude_deg: float, longitude_deg: float, ellipse: dict[str, Any]) -> list[list[float]]:
    """Corners of an ellipse, the first again at the end."""
    turn, axis = -np.linspace(0.0, 2 * np.pi, _CORNERS + 1), math.radians(ellipse["orientation_deg"])
    along, across = ellipse["semi_major_m"] * np.cos(turn), ellipse["semi_minor_m"] * np.sin(turn)
    east = along * math.sin(axis) + across * math.cos(axis)
    north = along * math.cos(axis) - across * math.sin(axis)
    lat, lon = moved(math.radians(latitude_deg), math.radians(longitude_deg), east, north)
    away = wrap_deg(np.degrees(lon) - longitude_deg)
    corners = [
        [round(longitude_deg + float(a), PLACE_DIGITS), round(math.degrees(float(b)), PLACE_DIGITS)]
        for a, b in zip(away, lat, strict=True)
    ]
    return [*corners[:-1], corners[0]]


def cut(ring: list[list[float]]) -> list[list[list[float]]]:
    """Parts of a closed ring on either side of the meridian of 180 degrees, within -180 to 180 (RFC 7946, 3.1.9)."""
    parts = []
    for turns in (-1, 0, 1):
        moved_ring = [[round(lon - 360.0 * turns, PLACE_DIGITS), lat] for lon, lat in ring]
        part = _half(_half(moved_ring, -180.0, 1), 180.0, -1)
        if len({tuple(corner) for corner in part}) > 2:
            parts.append(part)
    return parts or [ring]


def _half(ring: list[list[float]], limit: float, side: int) -> list[list[float]]:
    """What of a closed ring is east (side 1) or west (-1) of a meridian, closed too."""
    kept: list[list[float]] = []
    for a, b in pairwise(ring):
        inside, next_inside = side * (a[0] - limit) >= 0, side * (b[0] - limit) >= 0
        if inside:
            kept.append(a)
        if inside != next_inside:
            part = (limit - a[0]) / (b[0] - a[0])
            kept.append([limit, round(a[1] + part * (b[1] - a[1]), PLACE_DIGITS)])
    return [*kept, kept[0]] if kept else []

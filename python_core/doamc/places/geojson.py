"""Positions as GeoJSON (RFC 7946), which maps and geographic information systems open."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from doamc.places.geodesy import moved
from doamc.places.message import PLACE_DIGITS
from doamc.places.rings import Ring, cut, ring_of

#: corners of an ellipse
_CORNERS = 64


def geojson(positions: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    """Lines of a FeatureCollection of messages ``doamc.position/1``.

    Each is a point, whose properties are the message's, and polygons of its region, or, where that is none but bounded,
    of its ellipse. Coordinates are longitude and latitude; corners follow each other counter-clockwise. What lies
    across 180 degrees is cut there, into polygons on either side; what holds a pole goes along it.
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
            "coordinates": [[half] for (ring,) in region["coordinates"] for half in cut(ring, PLACE_DIGITS)],
        }
    elif position["bounded"]:
        halves = cut(_ring(place[1], place[0], position["ellipse"]), PLACE_DIGITS)
        shape = {"type": "Polygon", "coordinates": halves}
        if len(halves) > 1:
            shape = {"type": "MultiPolygon", "coordinates": [[half] for half in halves]}
    else:
        return
    named = {k: position[k] for k in ("emitter", "candidate", "frequency_hz", "first_time", "last_time", "ellipse")}
    yield {"type": "Feature", "geometry": shape, "properties": named}


def _ring(latitude_deg: float, longitude_deg: float, ellipse: dict[str, Any]) -> Ring:
    """Corners of an ellipse, the first again at the end."""
    turn, axis = -np.linspace(0.0, 2 * np.pi, _CORNERS, endpoint=False), math.radians(ellipse["orientation_deg"])
    along, across = ellipse["semi_major_m"] * np.cos(turn), ellipse["semi_minor_m"] * np.sin(turn)
    east = along * math.sin(axis) + across * math.cos(axis)
    north = along * math.cos(axis) - across * math.sin(axis)
    lat, lon = moved(math.radians(latitude_deg), math.radians(longitude_deg), east, north)
    return ring_of(lat, lon, longitude_deg, PLACE_DIGITS)

"""Places of emitters as messages of schema ``doamc.position/1``, plain values only.

Places are told to 1e-9 deg (0.1 mm), corners of regions to 1e-7 deg, lengths to 1 mm, other angles to 1e-6 deg,
probabilities to 1e-6: round-off, which differs between computers and with where arrays lie in memory, does not show.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from doamc import __version__
from doamc.places.bearings import BearingSet
from doamc.places.geodesy import middle
from doamc.places.location import Emitter, Location
from doamc.places.region import Region
from doamc.places.rings import ring_of
from doamc.protocol import POSITION_SCHEMA

#: decimals of degrees of latitude and longitude, of places and of corners of regions
PLACE_DIGITS, _CORNER_DIGITS = 9, 7


def position_messages(
    emitters: Sequence[Emitter],
    names: Sequence[str],
    probability: float,
    frequency_hz: float | None,
    times: tuple[float | None, float | None],
) -> list[dict[str, Any]]:
    """A message for each candidate of each emitter. names: of the stations. probability: that ellipses hold."""
    return [
        {
            "schema": POSITION_SCHEMA,
            "version": __version__,
            "frequency_hz": frequency_hz,
            "first_time": times[0],
            "last_time": times[1],
            "emitter": number,
            "candidate": candidate,
            **_place(location, probability),
            **_bearings(emitter.bearings, location, names),
        }
        for number, emitter in enumerate(emitters, 1)
        for candidate, location in enumerate(emitter.candidates, 1)
    ]


def _place(location: Location, probability: float) -> dict[str, Any]:
    major, minor, orientation = location.ellipse(probability)
    return {
        "probability": round(location.probability, 6),
        "latitude_deg": round(math.degrees(location.latitude), PLACE_DIGITS),
        "longitude_deg": round(math.degrees(location.longitude), PLACE_DIGITS),
        "bounded": location.bounded,
        "ellipse": {
            "semi_major_m": round(major, 3) if location.bounded else None, "semi_minor_m": round(minor, 3),
            "orientation_deg": round(orientation, 6), "probability": probability,
        },
        "region": None if location.region is None else _region(location.region, probability),
    }  # fmt: skip


def _region(region: Region, probability: float) -> dict[str, Any]:
    """A geometry of GeoJSON, with the probability."""
    middle_deg = math.degrees(region.place[1])
    rings = [[ring_of(o[:, 0], o[:, 1], middle_deg, _CORNER_DIGITS)] for o in region.outlines(probability)]
    return {"type": "MultiPolygon", "coordinates": rings, "probability": probability}


def _bearings(bearings: BearingSet, location: Location, names: Sequence[str]) -> dict[str, Any]:
    taken = location.share.sum(1) > 0.5
    stations = []
    for s in np.unique(bearings.station):
        own = bearings.station == s
        latitude, longitude = middle(bearings.latitude[own], bearings.longitude[own])
        stations.append(
            {
                "name": names[s], "latitude_deg": round(math.degrees(latitude), PLACE_DIGITS),
                "longitude_deg": round(math.degrees(longitude), PLACE_DIGITS),
                "bearings": int(taken[own].sum()), "heading_error_deg": round(math.degrees(location.heading[s]), 6),
            }
        )  # fmt: skip
    return {"bearings": int(taken.sum()), "left_out": int((~taken).sum()), "stations": stations}

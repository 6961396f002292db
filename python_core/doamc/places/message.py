"""Places of emitters as messages of schema ``doamc.position/1``, plain values only."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from doamc import __version__
from doamc.places.bearings import BearingSet
from doamc.places.geodesy import middle
from doamc.places.location import Emitter, Location
from doamc.protocol import POSITION_SCHEMA


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
        "probability": location.probability,
        "latitude_deg": math.degrees(location.latitude),
        "longitude_deg": math.degrees(location.longitude),
        "bounded": location.bounded,
        "ellipse": {
            "semi_major_m": major if location.bounded else None, "semi_minor_m": minor, "orientation_deg": orientation,
            "probability": probability,
        },
    }  # fmt: skip


def _bearings(bearings: BearingSet, location: Location, names: Sequence[str]) -> dict[str, Any]:
    taken = location.share.sum(1) > 0.5
    stations = []
    for s in np.unique(bearings.station):
        own = bearings.station == s
        latitude, longitude = middle(bearings.latitude[own], bearings.longitude[own])
        stations.append(
            {
                "name": names[s], "latitude_deg": math.degrees(latitude), "longitude_deg": math.degrees(longitude),
                "bearings": int(taken[own].sum()), "heading_error_deg": math.degrees(location.heading[s]),
            }
        )  # fmt: skip
    return {"bearings": int(taken.sum()), "left_out": int((~taken).sum()), "stations": stations}

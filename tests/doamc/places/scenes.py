"""Stations, emitters and bearings of a plain model in a plane, beside the formulas of the library."""

import numpy as np

from doamc.places import BearingSet
from doamc.places.geodesy import bearing_of, ecef_m, moved

#: the middle, rad
ORIGIN = np.radians(48.0), np.radians(11.0)


def place(east_m, north_m):
    """Latitudes and longitudes, rad, of points about `ORIGIN`."""
    return moved(*ORIGIN, np.asarray(east_m, dtype=float), np.asarray(north_m, dtype=float))


def bearings_of(stations_m, emitter_m, count, rng, std_deg=1.0, heading_deg=1.0, outliers=0.0, told=0.05):
    """`count` bearings from each station, with errors of their own and one that a station's share."""
    stations_m = np.asarray(stations_m, dtype=float)
    index = np.repeat(np.arange(len(stations_m)), count)
    lat, lon = place(*stations_m[index].T)
    true = bearing_of(lat, lon, ecef_m(*place(*emitter_m)))
    error = heading_deg * rng.standard_normal(len(stations_m))[index] + std_deg * rng.standard_normal(len(index))
    bearing = true + np.radians(error)
    wrong = rng.random(len(index)) < outliers
    bearing = np.where(wrong, rng.uniform(0, 2 * np.pi, len(index)), bearing)
    return BearingSet(
        index, lat, lon, bearing[:, None], np.full((len(index), 1), np.radians(std_deg)), np.ones((len(index), 1)),
        np.full(len(index), told), np.full(len(stations_m), np.radians(heading_deg)),
    )  # fmt: skip


def bound(stations_m, emitter_m, count, std_deg, heading_deg):
    """The Cramer-Rao bound, (2, 2) m^2, east and north, of a fix in a plane.

    The bearings of a station tell of one angle, with a deviation of sqrt(heading^2 + std^2 / count); the information is
    the sum of u u^T / (r deviation)^2 over stations, with u across the line of sight.
    """
    away = np.asarray(emitter_m) - np.asarray(stations_m, dtype=float)
    r = np.linalg.norm(away, axis=1)
    across = np.stack([away[:, 1], -away[:, 0]], axis=1) / r[:, None]
    deviation = np.radians(np.sqrt(heading_deg**2 + std_deg**2 / count))
    return np.linalg.inv(np.einsum("si,sj,s->ij", across, across, (r * deviation) ** -2.0))


def error_m(location, emitter_m):
    """East and north, m, from where an emitter was found to where it is."""
    from doamc.places.geodesy import east_north

    return east_north(location.latitude, location.longitude) @ (
        ecef_m(*place(*emitter_m)) - ecef_m(location.latitude, location.longitude)
    )

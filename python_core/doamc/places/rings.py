"""Rings of longitude and latitude on a sphere: longitudes go on past 180 degrees, and a pole is an edge of the map.

A ring around a pole does not come back to the longitude where it began, but a turn further. On a map of longitude and
latitude it is what lies between it and the pole: it goes to the pole, along it, and back (RFC 7946, 3.1.9).
"""

import math
from itertools import pairwise

import numpy as np

from doamc.angles import wrap_deg
from doamc.places.geodesy import below, ecef_m

Ring = list[list[float]]

#: edges that turn more about the poles are divided, deg: they are straight on the ground, not on the map; how often
_STEP_DEG, _HALVINGS = 10.0, 12


def ring_of(latitude: np.ndarray, longitude: np.ndarray, near_deg: float, digits: int) -> Ring:
    """Closed ring, degrees east and north, of corners, (C,) rad each, counter-clockwise as seen from above.

    It begins within half a turn of `near_deg`, and its longitudes go on from there, beyond 180 degrees where they must.
    One that holds a pole goes along it, from 180 degrees back to -180. digits: decimals.
    """
    corners = list(zip(np.degrees(longitude).tolist(), np.degrees(latitude).tolist(), strict=True))
    fine = [corner for a, b in pairwise([*corners, corners[0]]) for corner in (a, *_divided(a, b, _HALVINGS))]
    lat = np.array([corner[1] for corner in [*fine, fine[0]]])
    lon = np.array([corner[0] for corner in [*fine, fine[0]]])
    lon = near_deg + wrap_deg(lon[0] - near_deg) + np.concatenate([[0.0], np.cumsum(wrap_deg(np.diff(lon)))])
    way = int(np.sign(np.round((lon[-1] - lon[0]) / 360.0)))
    if way:  # with the inside at the left, the north pole is on the way to the east
        lon, lat = _begun_at_180(lon, lat, way)
        lon, lat = np.append(lon, [lon[-1], lon[0], 0.0]), np.append(lat, [90.0 * way, 90.0 * way, 0.0])
    ring: Ring = np.column_stack([lon, lat]).round(digits).tolist()
    return [*ring[:-1], ring[0]]


def _divided(a: tuple[float, float], b: tuple[float, float], halvings: int) -> list[tuple[float, float]]:
    """Points on the ground between two corners, none of which turns by much more than `_STEP_DEG`."""
    if not halvings or abs(wrap_deg(b[0] - a[0])) <= _STEP_DEG:
        return []
    lat, lon = below(ecef_m(np.radians([a[1], b[1]]), np.radians([a[0], b[0]])).mean(0))
    half = math.degrees(float(lon)), math.degrees(float(lat))
    return [*_divided(a, half, halvings - 1), half, *_divided(half, b, halvings - 1)]


def _begun_at_180(lon: np.ndarray, lat: np.ndarray, way: int) -> tuple[np.ndarray, np.ndarray]:
    """A ring around a pole from where it crosses 180 degrees, so that a map of -180 to 180 need not cut it.

    way: 1 to the east, -1 to the west.
    """
    lon = way * lon  # as if it went to the east
    lon = lon - 360.0 * math.floor((lon[0] + 180.0) / 360.0)
    at = int(np.flatnonzero((lon[:-1] < 180.0) & (lon[1:] >= 180.0))[0])
    edge = np.interp(180.0, lon[at : at + 2], lat[at : at + 2])
    own = np.concatenate([[-180.0], lon[at + 1 : -1] - 360.0, lon[: at + 1], [180.0]])
    return way * own, np.concatenate([[edge], lat[at + 1 : -1], lat[: at + 1], [edge]])


def cut(ring: Ring, digits: int) -> list[Ring]:
    """Parts of a closed ring, counter-clockwise, on either side of the meridian of 180 degrees, within -180 to 180."""
    west, east = (f(lon for lon, _ in ring) for f in (min, max))
    parts = []
    for turn in range(math.floor((west + 180.0) / 360.0), math.ceil((east - 180.0) / 360.0) + 1):
        moved = [[round(lon - 360.0 * turn, digits), lat] for lon, lat in ring]
        halves = [part for half in _half(moved, -180.0, 1, digits) for part in _half(half, 180.0, -1, digits)]
        parts += [part for part in halves if len({tuple(corner) for corner in part}) > 2]
    return parts or [ring]


def _half(ring: Ring, limit: float, side: int, digits: int) -> list[Ring]:
    """What of a closed ring is east (side 1) or west (-1) of a meridian, closed rings too."""
    inside = [side * (lon - limit) > 0 for lon, _ in ring]
    if all(side * (lon - limit) >= 0 for lon, _ in ring):
        return [ring]
    first = inside.index(False)
    corners = [*ring[first:-1], *ring[: first + 1]]
    chains: list[Ring] = []  # from where the ring comes in to where it leaves
    chain: Ring = []
    for a, b in pairwise(corners):
        come, stay = side * (a[0] - limit) > 0, side * (b[0] - limit) > 0
        if come:
            chain.append(a)
        if come != stay:
            part = (limit - a[0]) / (b[0] - a[0])
            chain.append([limit, round(a[1] + part * (b[1] - a[1]), digits)])
        if come and not stay:
            chains.append(chain)
            chain = []
    return _joined(chains, side)


def _joined(chains: list[Ring], side: int) -> list[Ring]:
    """Rings of chains that begin and end on a meridian: one that leaves goes along it to the next that comes in.

    With the inside at its left a ring goes south along its western edge, and north along its eastern one.
    """
    rings = []
    while chains:
        ring = chains.pop()
        while True:
            ways = [side * (ring[-1][1] - other[0][1]) for other in (ring, *chains)]
            best = min(range(len(ways)), key=lambda k: (ways[k] < 0, abs(ways[k])))
            if best == 0:
                break
            ring = ring + chains.pop(best - 1)
        rings.append([*ring, ring[0]])
    return rings

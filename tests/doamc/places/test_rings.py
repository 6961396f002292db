"""Rings on a map of longitude and latitude: across 180 degrees, and around the poles."""

from itertools import pairwise

import numpy as np
import pytest

from doamc.places.geodesy import ecef_m, moved
from doamc.places.rings import cut, ring_of

SQUARE = [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
CORNERS = 64


def area(ring):
    """Of a closed ring, positive where its corners are counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def shifted(east):
    return [[longitude + east, latitude] for longitude, latitude in SQUARE]


def circle(latitude_deg, longitude_deg, radius_m, near_deg=None):
    """Parts of a circle on the ground, as a map shows it."""
    turn = np.linspace(0.0, 2 * np.pi, CORNERS, endpoint=False)
    lat, lon = moved(*np.radians([latitude_deg, longitude_deg]), radius_m * np.cos(turn), radius_m * np.sin(turn))
    return ring_of(lat, lon, longitude_deg if near_deg is None else near_deg, 9)


def inside(parts, longitude, latitude):
    """Whether a ray to the east of a point crosses the rings an odd number of times: no formula of the rings."""
    crossed = 0
    for ring in parts:
        for a, b in pairwise(ring):
            if (a[1] > latitude) != (b[1] > latitude):
                crossed += a[0] + (latitude - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) > longitude
    return crossed % 2 == 1


def crossings(ring):
    """How many pairs of edges of a ring cross."""

    def left(a, b, c):
        return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])

    edges = [(a, b) for a, b in pairwise(ring) if a != b]
    return sum(
        left(*one, other[0]) * left(*one, other[1]) < 0 and left(*other, one[0]) * left(*other, one[1]) < 0
        for k, one in enumerate(edges)
        for other in edges[k + 1 :]
    )


def test_what_lies_on_one_side_stays_as_it_is():
    assert cut(shifted(10.0), 9) == [shifted(10.0)]
    assert cut(shifted(178.0), 9) == [shifted(178.0)] and cut(shifted(-180.0), 9) == [shifted(-180.0)]  # to 180


@pytest.mark.parametrize("east", [179.0, -181.0, 539.0])  # a place on either side of the meridian, and a turn further
def test_what_lies_across_is_cut(east):
    parts = cut(shifted(east), 9)
    assert [area(part) for part in parts] == pytest.approx([1.0, 1.0])  # counter-clockwise, and nothing is lost
    assert all(part[0] == part[-1] for part in parts)
    assert sorted({longitude for part in parts for longitude, _ in part}) == [-180.0, -179.0, 179.0, 180.0]


def test_what_lies_across_twice_is_cut_into_three():
    """A horseshoe, open to the east: its two ends are beyond the meridian, and no edge joins them along it."""
    shoe = [[178.0, 0.0], [182.0, 0.0], [182.0, 1.0], [179.0, 1.0], [179.0, 2.0], [182.0, 2.0], [182.0, 3.0],
            [178.0, 3.0], [178.0, 0.0]]  # fmt: skip
    for turned in (shoe, [*shoe[3:-1], *shoe[:4]]):
        parts = cut(turned, 9)
        assert sorted(area(part) for part in parts) == pytest.approx([2.0, 2.0, 5.0])
    west = [[360.0 - longitude, latitude] for longitude, latitude in reversed(shoe)]  # open to the west
    assert sorted(area(part) for part in cut(west, 9)) == pytest.approx([2.0, 2.0, 5.0])


def test_what_is_too_small_to_cut_stays():
    assert cut([[180.0, 1.0]] * 4, 9) == [[[180.0, 1.0]] * 4]


@pytest.mark.parametrize("pole", [1, -1])
@pytest.mark.parametrize("longitude", [-180.0, -75.0, 0.0, 130.0, 179.999])
@pytest.mark.parametrize("latitude", [87.6, 89.0, 90.0])
def test_a_ring_that_holds_a_pole_goes_along_it(pole, latitude, longitude):
    """300 km about a place that is less far from the pole: the map shows it from 180 degrees to the other."""
    ring = circle(pole * latitude, longitude, 3e5)
    (part,) = cut(ring, 9)
    assert part == ring and ring[0] == ring[-1] and crossings(ring) == 0 and area(ring) > 0
    corners = np.array(ring)
    assert (corners[:, 0].min(), corners[:, 0].max()) == (-180.0, 180.0)
    assert sorted(corners[pole * corners[:, 1] == 90.0, 0].tolist()) == [-180.0, 180.0]
    assert np.abs(np.diff(corners[:, 0])[pole * corners[:-1, 1] < 90.0]).max() < 20.0  # straight on the ground
    rng = np.random.default_rng(0)
    centre = ecef_m(*np.radians([pole * latitude, longitude]))
    for _ in range(200):
        lon, lat = rng.uniform(-180, 180), pole * rng.uniform(83.0, 90.0)
        away = np.linalg.norm(ecef_m(*np.radians([lat, lon])) - centre)
        if abs(away - 3e5) > 3e3:
            assert inside([ring], lon, lat) == (away < 3e5)


@pytest.mark.parametrize("longitude", [-179.0, 20.0, 180.0])
@pytest.mark.parametrize("latitude", [87.0, -87.0])
def test_a_ring_beside_a_pole_holds_what_it_holds_on_the_ground(latitude, longitude):
    """300 km about a place 335 km from the pole: the ring turns far about the pole, and comes back."""
    parts = cut(circle(latitude, longitude, 3e5), 9)
    assert len(parts) == (1 if longitude == 20.0 else 2)
    assert all(crossings(p) == 0 and area(p) > 0 and np.abs(np.array(p)[:, 0]).max() <= 180.0 for p in parts)
    assert not inside(parts, 0.001, np.sign(latitude) * 89.99)
    rng = np.random.default_rng(0)
    centre = ecef_m(*np.radians([latitude, longitude]))
    for _ in range(200):
        lon, lat = rng.uniform(-180, 180), np.sign(latitude) * rng.uniform(83.0, 90.0)
        away = np.linalg.norm(ecef_m(*np.radians([lat, lon])) - centre)
        if abs(away - 3e5) > 3e3:
            assert inside(parts, lon, lat) == (away < 3e5)


def test_a_ring_begins_near_its_place():
    """So that its longitudes do not jump where the place is beside 180 degrees."""
    lon = np.array(circle(10.0, 179.9, 5e4))[:, 0]
    assert 180.3 < lon.max() < 180.5 and 179.4 < lon.min() < 179.5
    lon = np.array(circle(10.0, 180.1, 5e4, near_deg=-179.9))[:, 0]
    assert -179.6 < lon.max() < -179.4

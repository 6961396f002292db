"""Shapes of GeoJSON: what lies across 180 degrees is cut there."""

from itertools import pairwise

import pytest

from doamc.places.geojson import cut

SQUARE = [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0], [0.0, 0.0]]


def area(ring):
    """Of a closed ring, positive where its corners are counter-clockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2


def moved(east):
    return [[longitude + east, latitude] for longitude, latitude in SQUARE]


def test_what_lies_on_one_side_stays_as_it_is():
    assert cut(moved(10.0)) == [moved(10.0)]
    assert cut(moved(178.0)) == [moved(178.0)] and cut(moved(-180.0)) == [moved(-180.0)]  # to the meridian


@pytest.mark.parametrize("east", [179.0, -181.0])  # a place on either side of the meridian
def test_what_lies_across_is_cut(east):
    parts = cut(moved(east))
    assert [area(part) for part in parts] == pytest.approx([1.0, 1.0])  # counter-clockwise, and nothing is lost
    assert all(part[0] == part[-1] for part in parts)
    assert sorted({longitude for part in parts for longitude, _ in part}) == [-180.0, -179.0, 179.0, 180.0]


def test_what_is_too_small_to_cut_stays():
    assert cut([[180.0, 1.0]] * 4) == [[[180.0, 1.0]] * 4]

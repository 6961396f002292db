"""Places that are no ellipse: emitters in line with two stations, or ahead of one that drives at them."""

import numpy as np
import pytest

from doamc.angles import wrap_rad
from doamc.places import BearingSet, locate
from doamc.places.geodesy import bearing_of, east_north, ecef_m
from tests.doamc.places.scenes import ORIGIN, bearings_of, error_m, place
from tests.doamc.places.test_density import on_grid

TWO = np.array([(-3e3, 0.0), (3e3, 0.0)])


def in_outline(polygons, emitter_m):
    """Whether a place is in polygons of latitudes and longitudes: by the turns that their corners make about it."""
    x, axes = ecef_m(*place(*emitter_m)), east_north(*ORIGIN)
    for corners in polygons:
        east, north = axes @ (ecef_m(*corners.T) - x).T
        angle = np.arctan2(north, east)
        if abs(wrap_rad(np.diff(angle, append=angle[0])).sum()) > np.pi:
            return True
    return False


def driven(emitter_m, rng, heading_deg=1.0):
    """Forty bearings of a degree, on 5 km of a road to the east that ends at the origin."""
    lat, lon = place(np.linspace(-5e3, 0.0, 40), np.zeros(40))
    error = heading_deg * rng.standard_normal() + rng.standard_normal(40)
    bearing = bearing_of(lat, lon, ecef_m(*place(*emitter_m))) + np.radians(error)
    one = np.ones((40, 1))
    spread = np.radians([heading_deg])
    return BearingSet(
        np.zeros(40, dtype=int), lat, lon, bearing[:, None], np.radians(one), one, np.full(40, 0.05), spread
    )


@pytest.mark.parametrize("seed", range(3))
def test_moments_are_those_of_a_grid(seed):
    """The lens between two stations of a degree is 6 km long and 50 m across: the grid has 75 and 8 m."""
    bearings = bearings_of(TWO, (500.0, 0.0), 5, np.random.default_rng(seed), 0.5, 1.0)
    found = locate(bearings, 1e5)[0].candidates[0]
    mean, covariance = on_grid(bearings, np.zeros(2), (3.5e3, 300.0), 161, stations=TWO)
    spread = np.sqrt(np.diag(covariance))
    assert np.abs(-error_m(found, (0.0, 0.0)) - mean) == pytest.approx(np.zeros(2), abs=0.08 * spread.max())
    assert found.region is not None and found.bounded
    off = bearings.bearing[:, 0] - bearing_of(
        bearings.latitude, bearings.longitude, ecef_m(found.latitude, found.longitude)
    )
    for s in range(2):  # five of half a degree, and a heading of one
        mean = wrap_rad(off[bearings.station == s]).mean()
        assert found.heading[s] == pytest.approx(mean / (1.0 + 0.25 / 5), abs=1e-4)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(spread, rel=0.1)


def test_regions_hold_emitters_on_the_line_between_stations():
    """Of 50 scenes a share of 0.9 has a deviation of 0.042: at the middle, near the ends, and beside the line."""
    rng = np.random.default_rng(11)
    held = 0
    for number, along in enumerate(np.linspace(-2.6e3, 2.6e3, 50)):
        emitter = (along, 60.0 * (number % 2))
        found = locate(bearings_of(TWO, emitter, 5, rng, 0.5, 1.0), 1e5)[0].candidates[0]
        held += found.region is not None and in_outline(found.region.outlines(0.9), emitter)
    assert held >= 38


def test_beyond_an_end_the_region_goes_to_the_end_of_the_map():
    rng = np.random.default_rng(12)
    held = 0
    for _ in range(20):
        emitter = (rng.uniform(5e3, 8e4), 0.0)
        found = locate(bearings_of(TWO, emitter, 5, rng, 0.5, 1.0), 1e5)[0].candidates[0]
        assert not found.bounded and found.region is not None
        held += in_outline(found.region.outlines(0.9), emitter)
    assert held >= 14  # of 20, at 0.9: less by chance once in 9000


def test_a_station_that_drives_at_the_emitter():
    rng = np.random.default_rng(13)
    for _ in range(2):
        found = locate(driven((4e3, 0.0), rng), 1e5)[0].candidates[0]
        assert not found.bounded and found.region is not None
        assert in_outline(found.region.outlines(0.99), (4e3, 0.0))
        assert not in_outline(found.region.outlines(0.99), (-2e3, 0.0))


def test_ellipses_hold_as_much_of_the_mass_as_they_say():
    found = locate(bearings_of(TWO, (0.0, 0.0), 5, np.random.default_rng(14), 0.5, 1.0), 1e5)[0].candidates[0]
    region = found.region
    for probability in (0.5, 0.9):
        major, minor, orientation = found.ellipse(probability)
        away = (region.x - ecef_m(*region.place)) @ east_north(*region.place).T
        axis = np.radians(orientation)
        along, across = away @ [np.sin(axis), np.cos(axis)], away @ [np.cos(axis), -np.sin(axis)]
        assert region.mass[(along / major) ** 2 + (across / minor) ** 2 < 1].sum() == pytest.approx(
            probability, abs=0.02
        )


def test_a_thousand_bearings_of_a_place_count_as_their_mean():
    """And those of a station whose satellite receiver wanders by metres, too."""
    rng = np.random.default_rng(15)
    one = bearings_of(TWO, (0.0, 0.0), 1000, rng, 0.5, 1.0)
    lat, lon = one.latitude + 1e-7 * rng.standard_normal(2000), one.longitude + 1e-7 * rng.standard_normal(2000)
    two = BearingSet(one.station, lat, lon, one.bearing, one.std, one.weight, one.outlier, one.heading_std)
    first, second = (locate(b, 1e5)[0].candidates[0].region for b in (one, two))
    assert len(first.evidence.at) == 2 and len(second.evidence.at) <= 8
    assert np.sqrt(np.diag(second.covariance)) == pytest.approx(np.sqrt(np.diag(first.covariance)), rel=0.02)

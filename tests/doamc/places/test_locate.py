"""Fixes of simulated scenes: how often ellipses hold, how near to the bound, and what is said where there is none."""

import math

import numpy as np
import pytest

from doamc.places import BearingSet, locate
from doamc.places.geodesy import bearing_of, ecef_m
from tests.doamc.places.scenes import bearings_of, bound, error_m, place

CHI2 = -2 * math.log(0.1)  #: 90 % of two degrees of freedom


def test_ellipses_hold_what_they_say_and_errors_are_those_of_the_bound():
    """Of 200 scenes a share of 0.9 has a deviation of 0.021: 0.83 to 0.97 is beyond three of them."""
    rng = np.random.default_rng(7)
    held, square, least = 0, 0.0, 0.0
    for _ in range(200):
        stations = np.array([(0.0, 0.0), (8e3, 0.0), (3e3, 7e3)]) + rng.uniform(-2e3, 2e3, (3, 2))
        emitter = rng.uniform(-9e3, 16e3, 2)
        found = locate(bearings_of(stations, emitter, 3, rng, 0.8, 0.5), 1e5)[0].candidates[0]
        error = error_m(found, emitter)
        held += error @ np.linalg.solve(found.covariance, error) < CHI2
        limit = bound(stations, emitter, 3, 0.8, 0.5)
        square, least = square + error @ error / np.trace(limit), least + 1
    assert 0.83 < held / 200 < 0.97
    assert 0.9 < math.sqrt(square / least) < 1.15  # 200 of two degrees of freedom: 0.04


def test_wrong_bearings_are_left_out():
    rng = np.random.default_rng(1)
    stations, emitter = [(0.0, 0.0), (8e3, 0.0), (3e3, 7e3)], (9e3, 9e3)
    errors = []
    for _ in range(20):
        bearings = bearings_of(stations, emitter, 10, rng, 0.5, 0.1, 0.4, told=0.3)
        found = locate(bearings, 1e5)[0].candidates[0]
        errors.append(np.linalg.norm(error_m(found, emitter)))
        wrong = found.share.sum(1) < 0.5
        assert 5 <= wrong.sum() <= 20  # 12 of 30, with a deviation of 2.7
    assert np.median(errors) < 2.0 * math.sqrt(np.trace(bound(stations, emitter, 6, 0.5, 0.1)))


def test_a_heading_error_is_not_averaged_away():
    """A thousand bearings of a station that is turned by a degree tell no more than that degree."""
    stations, emitter = [(0.0, 0.0), (8e3, 0.0), (3e3, 7e3)], (9e3, 9e3)
    found = locate(bearings_of(stations, emitter, 1000, np.random.default_rng(2), 1.0, 1.0), 1e5)[0].candidates[0]
    limit = bound(stations, emitter, 1000, 1.0, 1.0)
    assert np.trace(found.covariance) == pytest.approx(np.trace(limit), rel=0.2)


def test_one_station_that_moves():
    rng = np.random.default_rng(3)
    way, emitter = np.stack([np.linspace(0, 10e3, 40), np.zeros(40)], axis=1), np.array([6e3, 8e3])
    lat, lon = place(*way.T)
    bearing = bearing_of(lat, lon, ecef_m(*place(*emitter))) + np.radians(0.5 + rng.standard_normal(40))
    one = np.ones((40, 1))
    set_ = BearingSet(
        np.zeros(40, dtype=int), lat, lon, bearing[:, None], np.radians(one), one, np.full(40, 0.05),
        np.radians([1.0]),
    )  # fmt: skip
    found = locate(set_, 1e5)[0].candidates[0]
    error = error_m(found, emitter)
    assert found.bounded and error @ np.linalg.solve(found.covariance, error) < CHI2 and np.linalg.norm(error) < 500


def test_parallel_bearings_have_no_range():
    """Two stations 1 km apart see an emitter at 60 km, under bearings of a degree."""
    bearings = bearings_of([(-500.0, 0.0), (500.0, 0.0)], (0.0, 60e3), 1, np.random.default_rng(4), 1.0, 0.0)
    found = locate(bearings, 1e5)[0].candidates[0]
    assert not found.bounded
    lat, lon = place(0.0, 0.0)
    assert np.degrees(bearing_of(lat, lon, ecef_m(found.latitude, found.longitude))) == pytest.approx(0.0, abs=3.0)


def test_all_from_one_place_is_no_fix():
    assert locate(bearings_of([(0.0, 0.0), (0.0, 0.0)], (5e3, 5e3), 3, np.random.default_rng(5)), 1e5) == []


def test_ambiguous_bearings_have_candidates():
    """A line array does not tell front from back; two of them cross at the emitter, and at its mirror image."""
    lat, lon = place([0.0, 4e3], [0.0, 0.0])
    front = bearing_of(lat, lon, ecef_m(*place(2e3, 5e3)))
    bearing = np.stack([front, np.pi - front], axis=1)
    two = np.full((2, 2), 0.5)
    set_ = BearingSet(
        np.arange(2), lat, lon, bearing, np.radians(2 * two), two, np.full(2, 0.05), np.radians([0.1, 0.1])
    )
    candidates = locate(set_, 1e5)[0].candidates
    assert len(candidates) == 2
    assert [c.probability for c in candidates] == pytest.approx([0.5, 0.5], abs=0.02)
    assert sorted(np.sign(np.degrees(c.latitude) - 48.0) for c in candidates) == [-1, 1]


def test_two_emitters_are_found_one_after_the_other():
    rng = np.random.default_rng(6)
    stations, emitters = [(0.0, 0.0), (8e3, 0.0), (3e3, 7e3)], [(9e3, 9e3), (-4e3, 5e3)]
    sets = [bearings_of(stations, e, 8, rng, 0.5, 0.2) for e in emitters]
    both = BearingSet(
        sets[0].station, sets[0].latitude, sets[0].longitude, np.hstack([s.bearing for s in sets]),
        np.hstack([s.std for s in sets]), np.full((24, 2), 0.5), sets[0].outlier, sets[0].heading_std,
    )  # fmt: skip
    found = locate(both, 1e5, 4)
    assert len(found) == 2  # what is left of both is nothing
    errors = [[np.linalg.norm(error_m(f.candidates[0], e)) for e in emitters] for f in found]
    assert sorted(np.argmin(errors, axis=1)) == [0, 1] and np.max(np.min(errors, axis=1)) < 400


def test_bearings_much_sharper_than_headings():
    """Twenty of a fortieth of a degree, and headings off by one: each station's are all off by forty deviations."""
    rng = np.random.default_rng(16)
    stations, emitter = [(0.0, 0.0), (8e3, 0.0), (3e3, 7e3)], (9e3, 9e3)
    held = 0
    for _ in range(20):
        found = locate(bearings_of(stations, emitter, 20, rng, 0.025, 1.0), 1e5)[0].candidates[0]
        error = error_m(found, emitter)
        held += found.share.sum() > 59 and error @ np.linalg.solve(found.covariance, error) < CHI2
    assert held >= 14  # of 20, at 0.9

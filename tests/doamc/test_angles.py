"""Wrapping of all three kinds of numbers; bearings against a table worked out by hand and against geometry."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from doamc.angles import (
    azimuth_deg,
    bearing_deg,
    bearing_interval_deg,
    circle_deg,
    great_circle_deg,
    wrap_deg,
    wrap_rad,
)

from .bearing_table import INTERVALS, TABLE

ANGLE = st.floats(-3600, 3600)


@pytest.mark.parametrize(("azimuth", "heading", "bearing"), TABLE)
def test_bearings_are_those_of_the_table(azimuth, heading, bearing):
    assert bearing_deg(azimuth, heading) == pytest.approx(bearing, abs=1e-12)
    assert azimuth_deg(bearing, heading) == pytest.approx(azimuth % 360, abs=1e-12)


def test_arrays_are_turned_as_numbers_are():
    azimuth, heading, bearing = np.array(TABLE).T
    np.testing.assert_allclose(bearing_deg(azimuth, 0.0), [bearing_deg(float(a), 0.0) for a in azimuth])
    np.testing.assert_allclose(bearing_deg(azimuth, heading), bearing, atol=1e-12)


@pytest.mark.parametrize(("azimuth", "interval", "heading", "turned"), INTERVALS)
def test_the_high_end_of_an_azimuth_is_the_low_end_of_its_bearing(azimuth, interval, heading, turned):
    assert bearing_interval_deg(*interval, azimuth, heading) == pytest.approx(turned, abs=1e-12)


@given(azimuth=ANGLE, heading=st.floats(0, 360))
def test_a_bearing_points_where_the_emitter_stands(azimuth, heading):
    """East and north of a point at the azimuth, by turning the array's axes: +x at the heading, +y to its left."""
    x, y = math.cos(math.radians(azimuth)), math.sin(math.radians(azimuth))
    sin, cos = math.sin(math.radians(heading)), math.cos(math.radians(heading))
    east, north = x * sin - y * cos, x * cos + y * sin
    bearing = math.radians(bearing_deg(azimuth, heading))
    assert (math.sin(bearing), math.cos(bearing)) == pytest.approx((east, north), abs=1e-9)


@given(azimuth=ANGLE, heading=st.floats(-720, 720))
def test_bearings_lie_within_a_turn_and_lead_back(azimuth, heading):
    bearing = bearing_deg(azimuth, heading)
    assert 0 <= bearing < 360
    assert abs((azimuth_deg(bearing, heading) - azimuth + 180) % 360 - 180) < 1e-8


def test_rounding_does_not_make_a_whole_turn():
    assert circle_deg(-1e-20) == 0.0 and bearing_deg(1e-20, 0.0) == 0.0
    np.testing.assert_array_equal(circle_deg(np.array([-1e-20, 360.0, 720.0])), 0.0)


@given(st.floats(-1e4, 1e4), st.sampled_from([-180.0, 0.0, -90.0, 30.0]))
def test_a_wrapped_angle_lies_in_the_turn_and_is_whole_turns_away(angle, low):
    found = wrap_deg(angle, low)
    assert low <= found <= low + 360.0  # the end by rounding alone
    turns = (found - angle) / 360.0
    assert abs(turns - round(turns)) < 1e-12


@pytest.mark.parametrize("low", [-math.pi, 0.0, -math.pi / 2])
def test_floats_arrays_and_tensors_agree_to_the_last_bit(low):
    angles = np.random.default_rng(1).uniform(-20, 20, 1000)
    by_array = wrap_rad(angles, low)
    assert [wrap_rad(float(a), low) for a in angles] == by_array.tolist()
    assert torch.equal(wrap_rad(torch.from_numpy(angles), low), torch.from_numpy(by_array))


def test_the_least_difference_of_two_directions():
    assert wrap_deg(350.0 - 10.0) == -20.0
    assert wrap_rad(math.radians(10.0 - 350.0)) == pytest.approx(math.radians(20.0))
    assert wrap_deg(180.0) == -180.0


def test_angles_on_the_sphere():
    """A turn at the horizon, to the zenith, across it, and small ones near it, where azimuth alone would be far off."""
    assert great_circle_deg(170.0, 0.0, -150.0, 0.0) == pytest.approx(40.0)
    assert great_circle_deg(0.0, 30.0, 77.0, 90.0) == pytest.approx(60.0)
    assert great_circle_deg(0.0, 89.0, 180.0, 88.0) == pytest.approx(3.0)
    assert great_circle_deg(10.0, 60.0, 11.0, 60.0) == pytest.approx(0.5, rel=1e-4)
    np.testing.assert_allclose(great_circle_deg(np.zeros(3), 0.0, [0.0, 90.0, 180.0], 0.0), [0.0, 90.0, 180.0])

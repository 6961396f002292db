"""Bearings of azimuths, against a table worked out by hand and against geometry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.angles import azimuth_deg, bearing_deg, bearing_interval_deg, circle_deg

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

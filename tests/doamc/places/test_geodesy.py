"""The ellipsoid against a published line of survey, and itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.places.geodesy import SEMI_MAJOR_M, bearing_of, east_north, ecef_m, middle, moved


def dms(degrees, minutes, seconds):
    return np.radians(np.copysign(abs(degrees) + minutes / 60 + seconds / 3600, degrees))


def test_a_published_line():
    """Flinders Peak to Buninyon, of the GDA technical manual (ICSM): 54 972.271 m, 306 52 05.37, back 127 10 25.07.

    GRS 80 and WGS 84 differ by 0.1 mm; normal sections differ from geodesics by less than 0.1" here.
    """
    flinders = dms(-37, 57, 3.7203), dms(144, 25, 29.5244)
    buninyon = dms(-37, 39, 10.1561), dms(143, 55, 35.3839)
    there, back = bearing_of(*flinders, ecef_m(*buninyon)), bearing_of(*buninyon, ecef_m(*flinders))
    assert np.degrees(there) % 360 == pytest.approx(306 + 52 / 60 + 5.37 / 3600, abs=0.1 / 3600)
    assert np.degrees(back) % 360 == pytest.approx(127 + 10 / 60 + 25.07 / 3600, abs=0.1 / 3600)
    chord = np.linalg.norm(ecef_m(*flinders) - ecef_m(*buninyon))
    assert chord == pytest.approx(54_972.271, abs=0.2)  # the arc is longer by s^3 / 24 R^2, 0.17 m


def test_poles_and_equator():
    assert ecef_m(0.0, 0.0) == pytest.approx([SEMI_MAJOR_M, 0, 0])
    assert ecef_m(np.pi / 2, 0.3)[2] == pytest.approx(6_356_752.3142, abs=1e-3)  # semi-minor axis of WGS 84


@settings(max_examples=40)
@given(st.floats(-1.4, 1.4), st.floats(-3.1, 3.1), st.floats(-2e5, 2e5), st.floats(-2e5, 2e5))
def test_a_point_of_the_plane_lies_above_its_place(latitude, longitude, east, north):
    """The place under a point: what is between them stands upright there."""
    lat, lon = moved(latitude, longitude, east, north)
    point = ecef_m(latitude, longitude) + np.array([east, north]) @ east_north(latitude, longitude)
    level = east_north(lat, lon) @ (point - ecef_m(lat, lon))
    assert np.abs(level).max() < 1e-3
    turned = bearing_of(latitude, longitude, ecef_m(lat, lon)) - np.arctan2(east, north)
    assert abs(np.sin(turned)) * np.hypot(east, north) < 30.0  # m: a vertical 3 km high leans out


def test_the_middle_lies_between():
    lat, lon = middle(np.radians([48.0, 48.2]), np.radians([179.9, -179.9]))
    assert np.degrees(lat) == pytest.approx(48.1, abs=1e-3)
    assert abs(np.degrees(lon)) == pytest.approx(180.0, abs=1e-3)

"""Both conventions against the definitions of docs/conventions.md and against geometry."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import ViewError
from doamc.views import Convention

ANGLE = st.floats(-360, 720)


@given(azimuth=ANGLE, heading=st.floats(0, 360))
def test_compass_needles_point_where_the_emitter_is(azimuth, heading):
    """East and north of the emitter, from vectors: +x axis at the heading, azimuth counter-clockwise from it."""
    compass = Convention("compass", heading)
    (sin_h, sin_a), (cos_h, cos_a) = ([f(math.radians(x)) for x in (heading, azimuth)] for f in (math.sin, math.cos))
    east, north = sin_h * cos_a - cos_h * sin_a, cos_h * cos_a + sin_h * sin_a
    bearing, drawn = math.radians(compass.shown_deg(azimuth)), math.radians(compass.screen_deg(azimuth))
    assert (math.sin(bearing), math.cos(bearing)) == pytest.approx((east, north), abs=1e-9)
    assert (math.cos(drawn), math.sin(drawn)) == pytest.approx((east, north), abs=1e-9)  # north is up, east right
    assert 0 <= compass.shown_deg(azimuth) <= 360


@given(azimuth=ANGLE)
def test_azimuths_are_shown_as_they_were_sent(azimuth):
    assert Convention().shown_deg(azimuth) == azimuth == Convention().screen_deg(azimuth)


def test_ticks_stand_where_their_label_says():
    assert Convention("compass", 70).ticks() == Convention("compass", 0.0).ticks()  # north stays up
    for convention, signed in ((Convention(), True), (Convention(), False), (Convention("compass", 10.0), True)):
        ticks = convention.ticks(90, signed)
        labels = [label for label, _ in ticks]
        if convention.is_compass:
            assert ticks == [("N", 90.0), ("E", 0.0), ("S", 270.0), ("W", 180.0)]
        else:
            assert labels == ["0°", "90°", "180°", "-90°" if signed else "270°"]
            assert [place for _, place in ticks] == [0.0, 90.0, 180.0, 270.0]


def test_words():
    assert Convention().text(-23.44, 0.21) == "-23.4° ± 0.2°"
    assert Convention("compass", 90.0).text(60.0) == "30.0°"
    assert Convention("compass", 0.0).text(0.01) == "0.0°"  # not 360.0
    np.testing.assert_allclose(Convention("compass", 10).shown_deg(np.array([0.0, 20.0])), [10.0, 350.0])


def test_bearings_are_shown_where_the_heading_is_known():
    """Told here, or else by the estimate; without one, azimuths, and that is said."""
    unknown, told = Convention(), Convention("compass", 350.0)
    assert not unknown.is_compass and unknown.quantity == "azimuth" and unknown.orientation == "orientation unknown"
    assert unknown.text(20.0) == "+20.0°" and unknown.ticks(90)[0] == ("0°", 0.0)
    assert unknown.of(None) == unknown and unknown.of(90.0).text(20.0) == "70.0°"
    assert unknown.of(84.54).orientation == "+x at 84.5°" and unknown.of(359.99).orientation == "+x at 0°"
    assert told.of(90.0) is told and told.quantity == "bearing" and told.text(20.0) == "330.0°"
    azimuths = Convention("math", 90.0)
    assert not azimuths.is_compass and azimuths.of(10.0).text(20.0) == "+20.0°"


@pytest.mark.parametrize("wrong", [("north", 0.0), ("compass", math.nan)])
def test_other_conventions_are_refused(wrong):
    with pytest.raises(ViewError, match="compass or math"):
        Convention(*wrong)

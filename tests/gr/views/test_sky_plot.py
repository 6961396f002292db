"""The compass where estimates tell elevations: what is on the screen is where it was on the sky."""

import numpy as np
import pytest
from gr_doamc import compass_sink

from doamc.views.palette import COLOURS
from tests.gr.looking import estimate, of_colour, picture, shown

TINT = "#" + "".join(f"{round(0.75 * 255 + 0.25 * int(COLOURS[0][k : k + 2], 16)):02x}" for k in (1, 3, 5))


def sky(seq, azimuth_deg, elevation_deg, std=None, up=None, **changes):
    deviations = {"std_deg": std, "elevation_std_deg": up}
    return estimate(seq, azimuth_deg, elevation_deg=np.array(elevation_deg, float), **deviations, **changes)


def middle(pixels, colour, view):
    """Middle of what has a colour, where the sky is: numbers have it, too."""
    points = of_colour(pixels, colour)
    inside = view.sky().outline()
    kept = [p for p in points if inside.contains(_point(p))]
    return np.mean(kept, 0) + 0.5


def _point(at):
    from gr_doamc.views.qt_binding import QtCore

    return QtCore.QPointF(*at)


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 0.5), (110.0, 30.0), (-60.0, 60.0), (45.0, 90.0)])
@pytest.mark.parametrize(("options", "north"), [({}, 0.0), ({"heading": 70.0}, 20.0)])
def test_a_dot_is_as_far_from_the_middle_as_its_direction_from_the_zenith(qt, options, north, azimuth, elevation):
    pixels, view = shown(compass_sink(history=0.0, **options), qt, [sky(0, (azimuth,), (elevation,))])
    centre, radius = view.rose()
    far, angle = radius * (90 - elevation) / 90, np.radians(azimuth + north)
    expected = [centre.x() + far * np.cos(angle), centre.y() - far * np.sin(angle)]
    assert middle(pixels, COLOURS[0], view) == pytest.approx(expected, abs=1.5)


def test_an_ellipse_holds_nine_tenths(qt):
    """Half axes of 2.146 deviations: of azimuth along the ring, times the cosine of elevation, of elevation across."""
    pixels, view = shown(compass_sink(history=0.0), qt, [sky(0, (0.0,), (45.0,), std=[10.0], up=[4.0])])
    _, radius = view.rose()
    points = of_colour(pixels, TINT, near=3) + 0.5
    wide, high = np.ptp(points[:, 0]), np.ptp(points[:, 1])
    assert wide == pytest.approx(2 * 2.146 * 4.0 * radius / 90, abs=4)
    along = 2.146 * np.radians(10.0) * np.cos(np.radians(45.0))  # its end lies that far aside of the direction
    aside = np.arctan2(np.sin(along), np.cos(along) * np.cos(np.radians(45.0)))  # azimuth of that end
    away = np.degrees(np.arccos(np.cos(along) * np.sin(np.radians(45.0)))) / 90  # of the zenith
    assert high == pytest.approx(2 * away * radius * np.sin(aside), abs=4)


def test_an_ellipse_slants_where_the_errors_go_together(qt):
    """To the left of the zenith is the greater azimuth; with it goes the greater elevation, which is further in."""
    told = sky(0, (90.0,), (45.0,), std=[10.0], up=[7.0], elevation_correlation=np.array([0.9]))
    pixels, view = shown(compass_sink(history=0.0), qt, [told])
    points = of_colour(pixels, TINT, near=3) + 0.5
    place = view.sky().point(90.0, 45.0)
    away = points - [place.x(), place.y()]
    slant = np.corrcoef(away.T)[0, 1]  # y grows downwards
    assert slant == pytest.approx(-0.9, abs=0.05)


def test_at_the_zenith_it_is_a_circle_round_the_middle(qt):
    pixels, view = shown(compass_sink(history=0.0), qt, [sky(0, (200.0,), (80.0,), std=[100.0], up=[7.0])])
    centre, radius = view.rose()
    points = of_colour(pixels, TINT, near=3) + 0.5
    far = np.hypot(points[:, 0] - centre.x(), points[:, 1] - centre.y())
    assert far.max() == pytest.approx((10.0 + 1.2816 * 7.0) * radius / 90, abs=2)
    assert points.mean(0) == pytest.approx([centre.x(), centre.y()], abs=1.5)


def test_what_is_below_the_horizon_needs_another_plot_which_stays(qt):
    messages = [sky(0, (170.0,), (10.0,)), sky(1, (170.0,), (-30.0,)), sky(2, (170.0,), (10.0,), std=[8.0], up=[5.0])]
    pixels, view = shown(compass_sink(history=0.0, convention="math"), qt, messages)
    axes = view.sky().axes
    assert axes.y == (-90.0, 90.0) and axes.x == (-180.0, 180.0)
    place = axes.at(170.0, 10.0)
    assert middle(pixels, COLOURS[0], view)[1] == pytest.approx(place.y(), abs=1.5)
    points = of_colour(pixels, TINT, near=3) + 0.5  # 2.146 * 8 = 17 degrees to either side: over the edge
    assert points[:, 0].max() > axes.at(178.0, 0.0).x() and points[:, 0].min() < axes.at(-178.0, 0.0).x()
    pixels, view = shown(compass_sink(history=0.0, heading=0.0), qt, messages)
    assert view.sky().axes.x == (0.0, 360.0)
    assert middle(pixels, COLOURS[0], view)[0] == pytest.approx(view.sky().axes.at(190.0, 0.0).x(), abs=1.5)


def test_the_trail_and_other_places_are_on_the_sky(qt):
    modes = [
        {"share": 0.8, "azimuth_deg": [90.0], "elevation_deg": [60.0], "std_deg": [1.0]},
        {"share": 0.2, "azimuth_deg": [180.0], "elevation_deg": [0.0], "std_deg": [1.0]},
    ]
    messages = [sky(0, (0.0,), (30.0,)), sky(10, (10.0,), (30.0,), modes=modes)]
    pixels, view = shown(compass_sink(history=2.0, convention="math"), qt, messages)
    centre, radius = view.rose()
    x, y = int(centre.x() + radius * 60 / 90), int(centre.y())
    assert int(pixels[y, x, 2]) - int(pixels[y, x, 0]) > 15  # blue, where it was a second ago
    size = 3 + 8 * np.sqrt(0.2)
    ring = view.sky().point(180.0, 0.0)
    across = pixels[int(ring.y() - size) - 1 : int(ring.y() - size) + 2, int(ring.x() + 2)]
    assert across.min() < 170
    first = view.sky().point(90.0, 60.0)
    assert pixels[int(first.y() - 7) - 4 : int(first.y() - 7) + 2, int(first.x()) + 4].min() > 200


def test_numbers_tell_both_angles_and_a_rose_comes_back_where_none_is_told(qt):
    sink = compass_sink(history=0.0)
    _, view = shown(sink, qt, [sky(0, (20.0,), (35.0,), std=[1.0], up=[2.0])])
    assert view._words(view.reading) == [["+20.0° ± 1.0°", "el +35.0° ± 2.0°"]]
    pixels, view = shown(sink, qt, [estimate(1, (20.0,))])
    assert not view.elevated and view._words(view.reading) == [["+20.0°"]]
    centre, radius = view.rose()
    x, y = centre.x() + 0.9 * radius * np.cos(np.radians(20)), centre.y() - 0.9 * radius * np.sin(np.radians(20))
    assert np.abs(of_colour(pixels, COLOURS[0]) - [x, y]).max(1).min() < 2  # a needle


def test_small_and_silent(qt, monkeypatch):
    monkeypatch.setattr("gr_doamc.views.qt_view.SILENT_S", 3.0)
    sink = compass_sink("A title", history=0.0)
    now = [0.0]
    view = sink.qwidget()
    view.clock = lambda: now[0]
    for below in (30.0, -30.0):
        shown(sink, qt, [sky(0, (20.0, 80.0), (below, 60.0), std=[5.0, 5.0], up=[5.0, np.nan])])
        for width, height in ((220, 200), (300, 900), (1600, 300)):
            view.resize(width, height)
            assert len(of_colour(picture(view), COLOURS[0])) > 10
        now[0] += 100.0
        assert len(of_colour(picture(view), COLOURS[0])) == 0

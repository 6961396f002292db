"""Compass sink: what is on the screen is what was sent."""

import numpy as np
import pmt
import pytest
from gr_doamc import compass_sink

from doamc.errors import ViewError
from doamc.views.palette import COLOURS
from tests.gr.looking import estimate, middle_deg, of_colour, picture, screen_angles, show, shown
from tests.gr.running import posting, run


@pytest.mark.parametrize(
    ("options", "drawn"),
    [({}, lambda a: a), ({"heading": 0.0}, lambda a: 90 + a),
     ({"convention": "compass", "heading": 70.0}, lambda a: 20 + a)],
)  # fmt: skip
@pytest.mark.parametrize("azimuth_deg", [(-25.0, 40.0), (48.2, 231.5), (100.0,)])
def test_needles_point_at_the_azimuths_sent(qt, options, drawn, azimuth_deg):
    pixels, view = shown(compass_sink("Directions", **options), qt, [estimate(3, azimuth_deg)])
    centre, radius = view.rose()
    for colour, azimuth in zip(COLOURS, azimuth_deg, strict=False):
        points = of_colour(pixels, colour)
        angles = screen_angles(points, centre, 0.4 * radius, 0.98 * radius)
        assert len(angles) > 0.5 * radius  # a line, two pixels wide in its core
        # half a pixel at 0.4 radius is half a degree
        assert middle_deg(angles - drawn(azimuth)) == pytest.approx(0.0, abs=0.5)
    for colour in COLOURS[len(azimuth_deg) :]:
        assert len(of_colour(pixels, colour)) == 0


def test_wedges_are_one_standard_deviation_to_either_side(qt):
    pixels, view = shown(compass_sink(history=0.0), qt, [estimate(0, (30.0,), std_deg=[8.0])])
    centre, radius = view.rose()
    points = of_colour(pixels, COLOURS[0])
    far = np.hypot(points[:, 0] + 0.5 - centre.x(), points[:, 1] + 0.5 - centre.y())
    rim = screen_angles(points[np.abs(far - radius) < 1.0], centre)  # the arc at the rim is opaque
    assert rim.min() == pytest.approx(22.0, abs=0.8) and rim.max() == pytest.approx(38.0, abs=0.8)
    # inside, the wedge is a quarter opaque over white
    tint = "#" + "".join(f"{round(0.75 * 255 + 0.25 * int(COLOURS[0][k : k + 2], 16)):02x}" for k in (1, 3, 5))
    inside = of_colour(pixels, tint, near=3)
    angles = screen_angles(inside, centre, least=0.5 * radius)
    assert angles.min() == pytest.approx(22.0, abs=1.0) and angles.max() == pytest.approx(38.0, abs=1.0)
    area = np.pi * radius**2 * (16 / 360)  # of the whole wedge; needle, rim and grid lie on it
    assert 0.6 * area < len(inside) < area


def test_the_trail_leads_inwards_and_is_bounded(qt):
    sink = compass_sink(history=2.0)
    view = sink.qwidget()
    view.resize(520, 420)
    run(posting([pmt.to_pmt(estimate(k, (float(k),))) for k in range(0, 31, 10)], sink, "estimates"))
    show(view, qt.QApplication.instance(), 30)
    centre, radius = view.rose()
    pixels = picture(view).astype(int)
    # 20 degrees was one second ago, half of the trail: 0.65 of the way out; 0 degrees is too old
    for azimuth, age, there in ((20.0, 1.0, True), (10.0, 2.0, True), (0.0, 2.0, False)):
        share = 1 - 0.7 * age / 2.0
        x = centre.x() + share * radius * np.cos(np.radians(azimuth))
        y = centre.y() - share * radius * np.sin(np.radians(azimuth))
        blue, red = pixels[int(y), int(x), 2], pixels[int(y), int(x), 0]
        assert (blue - red > 15) == there, azimuth
    for k in range(5000):
        view.show_reading(_reading(k))
    assert len(view.trail) == 1000


def _reading(k):
    from doamc.views import read_estimate

    return read_estimate(estimate(k, (10.0,)))


def test_when_estimates_stop_no_needle_stands(qt, monkeypatch):
    """After three seconds the rose says so instead; a picture that is held stays; the next estimate is shown."""
    sink = compass_sink(history=0.0)
    view = sink.qwidget()
    now = [100.0]
    view.clock = lambda: now[0]
    monkeypatch.setattr("gr_doamc.views.qt_view.SILENT_S", 3.0)
    pixels, _ = shown(sink, qt, [estimate(0, (30.0,))])
    before = len(of_colour(pixels, COLOURS[0]))
    now[0] += 2.9
    assert view.silence_s() == 0 and len(of_colour(picture(view), COLOURS[0])) == before > 0
    now[0] += 13.2
    assert view.silence_s() == pytest.approx(16.1)
    silent = picture(view)
    assert len(of_colour(silent, COLOURS[0])) == 0
    line = silent[-14:].reshape(-1, 3).min(0)  # "no estimate for 16 s", dark on the window's colour
    assert line.max() < 128 and pixels[-14:, :100].reshape(-1, 3).min() > 128
    view.held = True
    assert len(of_colour(picture(view), COLOURS[0])) == before
    view.held = False
    pixels, _ = shown(sink, qt, [estimate(1, (30.0,))])
    assert len(of_colour(pixels, COLOURS[0])) == before


def test_no_source_and_nothing_yet_draw_an_empty_rose(qt):
    sink = compass_sink()
    sink.qwidget().resize(400, 300)
    empty = picture(sink.qwidget())
    pixels, _ = shown(sink, qt, [estimate(0, ())])
    for colour in COLOURS:
        assert len(of_colour(empty, colour)) == len(of_colour(pixels, colour)) == 0


def test_it_can_be_made_small_and_large(qt):
    sink = compass_sink("A title")
    view = sink.qwidget()
    shown(sink, qt, [estimate(0, (30.0,), std_deg=[1.0])])
    for width, height in ((220, 200), (300, 900), (1600, 300)):
        view.resize(width, height)
        centre, radius = view.rose()
        assert 0 < centre.x() - radius and centre.x() + radius < width
        assert 0 < centre.y() - radius and centre.y() + radius < height
        assert len(of_colour(picture(view), COLOURS[0])) > radius


def test_the_menu_and_grc_change_the_convention(qt):
    sink = compass_sink(convention="math")
    _, view = shown(sink, qt, [estimate(0, (0.0,))])
    next(a for a in view.actions() if a.text() == "Compass bearings").trigger()
    sink.set_heading(200.0)
    points = of_colour(picture(view), COLOURS[0])
    centre, radius = view.rose()
    angle = middle_deg(screen_angles(points, centre, 0.4 * radius, 0.98 * radius))
    assert angle == pytest.approx(90 - 200, abs=2.0)  # bearing 200 on a screen with north up


def test_bearings_are_shown_as_soon_as_the_estimates_tell_how_the_array_stands(qt):
    """The trail of an array that turns stays where its emitter was: bearing 90, whatever the heading was then."""
    sink = compass_sink(history=2.0)
    _, view = shown(sink, qt, [estimate(0, (30.0,))])
    assert view.about()[-1] == "orientation unknown" and not view.shown.is_compass
    messages = [estimate(k, (10.0 * k,), heading_deg=90.0 + 10.0 * k) for k in range(1, 6)]
    pixels, view = shown(sink, qt, messages)
    assert view.about()[-1] == "+x at 140°" and view.shown.text(50.0) == "90.0°"
    centre, radius = view.rose()
    angles = screen_angles(of_colour(pixels, COLOURS[0], near=60), centre, 0.35 * radius, 0.98 * radius)
    assert angles.size > 100 and np.abs(angles).max() < 3.0  # needle and trail point east, to the right
    next(a for a in view.actions() if a.text() == "Compass bearings").trigger()
    assert view.shown.text(50.0) == "+50.0°"


@pytest.mark.parametrize("wrong", [{"convention": "north"}, {"history": -1}, {"update_time": 0}])
def test_arguments_out_of_range_are_refused(qt, wrong):
    with pytest.raises(ViewError, match="expected"):
        compass_sink(**wrong)

"""Bearing history sink: dots and bars stand at the times and angles sent."""

import numpy as np
import pmt
import pytest
from gr_doamc import bearing_history_sink

from doamc.errors import ViewError
from doamc.views import read_estimate
from doamc.views.palette import COLOURS
from tests.gr.looking import estimate, of_colour, picture
from tests.gr.running import posting, run


def shown(sink, qt, messages):
    view = sink.qwidget()
    view.resize(700, 400)
    run(posting([pmt.to_pmt(m) for m in messages], sink, "estimates"))
    view.take_in()
    return picture(view), view


def test_dots_stand_where_time_and_angle_say(qt):
    sink = bearing_history_sink("History", span=10.0, autoscale=False, ymin=-50.0, ymax=50.0)
    messages = [estimate(k, (-30.0, 5.0 * k / 10), time_s=k / 10) for k in range(0, 100, 20)]
    pixels, view = shown(sink, qt, messages)
    frame = view.axes().frame
    # the frame as a person finds it: the black rectangle; then linear axes 0..10 s and -50..50 degrees
    for message in messages[1:]:  # the first ones are cut in half by the frame
        for colour, source in zip(COLOURS, message["sources"], strict=False):
            x = frame.left() + message["sample_time"] / 10.0 * frame.width()
            y = frame.bottom() - (source["azimuth_deg"] + 50.0) / 100.0 * frame.height()
            points = of_colour(pixels, colour)
            near = points[np.hypot(points[:, 0] + 0.5 - x, points[:, 1] + 0.5 - y) < 6]
            assert len(near) >= 8  # a dot of radius 2.6
            assert near.mean(0) + 0.5 == pytest.approx([x, y], abs=0.7)


def test_error_bars_are_one_standard_deviation_to_either_side(qt):
    sink = bearing_history_sink(span=10.0, autoscale=False, ymin=-50.0, ymax=50.0)
    pixels, view = shown(sink, qt, [estimate(50, (10.0,), std_deg=[20.0], time_s=5.0)])
    axes = view.axes()
    x = int(axes.at(5.0, 0.0).x())
    column = pixels[:, x - 1 : x + 2].astype(int)
    tinted = np.nonzero((column[..., 2] - column[..., 0] > 30).any(1))[0]
    tinted = tinted[(tinted > axes.frame.top()) & (tinted < axes.frame.bottom())]
    degrees = 50 - 100 * (np.array([tinted.max() + 1, tinted.min()]) - axes.frame.top()) / axes.frame.height()
    assert degrees == pytest.approx([-10.0, 30.0], abs=0.6)


def test_angles_fit_what_is_shown_and_the_window_moves_on(qt):
    sink = bearing_history_sink(span=5.0, autoscale=True)
    _, view = shown(sink, qt, [estimate(k, (3.0, 41.0), std_deg=[1.0, 2.0]) for k in range(120)])
    axes = view.axes()
    assert axes.x == pytest.approx((6.9, 11.9)) and axes.y == (0.0, 50.0)
    assert min(t for t, *_ in view.points) >= 6.9 - 1e-9 and len(view.points) == 2 * 51
    sink.set_span(2.0)
    assert view.axes().x == pytest.approx((9.9, 11.9))


def test_bearings_and_unix_time(qt):
    sink = bearing_history_sink(span=10.0, convention="compass", heading=10.0)
    messages = [estimate(k, (20.0,), sample_time=None, time=1.79e9 + k) for k in range(3)]
    _, view = shown(sink, qt, messages)
    assert [p[:2] for p in view.points] == [(0.0, 350.0), (1.0, 350.0), (2.0, 350.0)]
    assert view.axes().y[0] <= 350 <= view.axes().y[1] and view.axes().x[0] == 0.0


def test_bearings_of_an_array_that_turns_are_those_of_their_time(qt):
    """An orientation that becomes known begins anew: azimuths and bearings do not share an axis."""
    sink = bearing_history_sink(span=10.0)
    _, view = shown(sink, qt, [estimate(0, (20.0,))])
    assert [p[:2] for p in view.points] == [(0.0, 20.0)] and view.shown.quantity == "azimuth"
    _, view = shown(sink, qt, [estimate(k, (10.0 * k,), heading_deg=90.0 + 10.0 * k) for k in range(1, 4)])
    assert [p[1] for p in view.points] == [90.0, 90.0, 90.0] and view.shown.orientation == "+x at 120°"
    assert view.shown.quantity == "bearing"


def test_memory_is_bounded_and_another_run_begins_anew(qt):
    view = bearing_history_sink(span=1e6).qwidget()
    for k in range(6000):
        view.show_reading(read_estimate(estimate(k, (10.0,))))
    assert len(view.points) == 5000
    view.span = 10.0
    view.show_reading(read_estimate(estimate(0, (20.0,))))
    assert [p[:2] for p in view.points] == [(0.0, 20.0)]
    next(a for a in view.actions() if a.text() == "Clear").trigger()
    assert not view.points


@pytest.mark.parametrize("wrong", [{"span": 0}, {"ymin": 5, "ymax": 5}, {"convention": "x"}])
def test_arguments_out_of_range_are_refused(qt, wrong):
    with pytest.raises(ViewError, match="expected"):
        bearing_history_sink(**wrong)

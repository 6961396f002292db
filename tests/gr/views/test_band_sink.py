"""Band sink: spectra, waterfall and bearings stand where frequency, level and angle say."""

import numpy as np
import pmt
import pytest
from gr_doamc import band_sink

from doamc.errors import ViewError
from doamc.views.band_reading import read_signal, read_spectrum
from doamc.views.palette import direction_rgb
from tests.doamc.dashboard.band_messages import BINS, LOW_HZ, STEP_HZ, signal, spectrum
from tests.gr.looking import of_colour, picture
from tests.gr.running import posting, run


def as_sent(message):
    """A spectrum as `signal_finder` posts it: lists are float32 arrays."""
    levels = ("power_dbfs", "floor_dbfs")
    return message | {k: None if message[k] is None else np.array(message[k], np.float32) for k in levels}


def shown(sink, signals=(), spectra=()):
    view = sink.qwidget()
    view.resize(700, 620)
    run(posting([pmt.to_pmt(m) for m in signals], sink, "signals"))
    run(posting([pmt.to_pmt(as_sent(m)) for m in spectra], sink, "spectrum"))
    view.take_in()
    return picture(view), view


def hexed(angle_deg):
    return "#" + "".join(f"{v:02X}" for v in direction_rgb(angle_deg))


def test_bars_stand_at_their_frequency_and_bearing_in_the_colour_of_it(qt):
    """Heading 90: azimuth 30 is bearing 60, azimuth -150 is 240."""
    signals = [
        signal(1, 600e3, (30.0,), bandwidth_hz=100e3, heading_deg=90.0),
        signal(2, 1800e3, (-150.0,), bandwidth_hz=100e3, heading_deg=90.0),
    ]
    pixels, view = shown(band_sink(trail=0.0), signals, [spectrum(k) for k in range(3)])
    axes = view.axes()[2]
    for frequency, bearing in ((600e3, 60.0), (1800e3, 240.0)):
        at = axes.at((LOW_HZ + frequency) / 1e6, bearing)
        points = of_colour(pixels, hexed(bearing))
        within = points[(points[:, 1] > axes.frame.top()) & (points[:, 0] < axes.frame.right())]
        assert within.mean(0) + 0.5 == pytest.approx([at.x(), at.y()], abs=1.0)
        wide = np.ptp(within[:, 0]) + 1
        assert wide == pytest.approx(100e3 / (BINS * STEP_HZ) * axes.frame.width(), abs=1.5)
    assert view.shown.is_compass and axes.y == (0.0, 360.0)


def test_a_carrier_is_bright_in_the_waterfall_and_only_there(qt):
    power = np.full(BINS, -95.0)
    power[96:98] = -30.0
    pixels, view = shown(band_sink(), spectra=[spectrum(k, power) for k in range(60)])
    frame = view.axes()[1].frame
    row = pixels[int(frame.top()) + 4, int(frame.left()) + 1 : int(frame.right())].astype(int)
    brightest = float(np.argmax(row[:, 0] + row[:, 1])) + 1
    assert brightest / frame.width() == pytest.approx(97 / BINS, abs=0.006)
    assert view.ring.range_dbfs[0] <= -95.0 and view.ring.range_dbfs[1] >= -30.0


def test_memory_is_bounded_whatever_comes(qt):
    view = band_sink().qwidget()
    levels = []
    for k in range(2000):
        view.show_reading(read_spectrum(spectrum(k)))
        view.show_reading(read_signal(signal(k, 1e5, stop_s=0.06 * k)))
        levels.append(view.ring._levels)
    assert {id(x) for x in levels} == {id(levels[0])} and levels[0].shape == (300, BINS)
    assert len(view.trail) <= 4000 and len(view.current()) <= 10.0 / 0.06 + 1
    view.show_reading(read_spectrum(spectrum(0)))  # another run
    assert view.ring.count == 1 and not view.trail


def test_the_wheel_zooms_about_the_pointer_and_the_menu_shows_all(qt):
    _, view = shown(band_sink(), spectra=[spectrum()])

    class Wheel:
        def __init__(self, share, up):
            self.share, self.up = share, up

        def position(self):
            frame = view.axes()[0].frame
            return type(frame.center())(frame.left() + self.share * frame.width(), frame.center().y())

        def angleDelta(self):
            return type(self.position())(0, 120 if self.up else -120)

    view.wheelEvent(Wheel(0.25, True))
    low, high = view.axes()[0].x
    whole = BINS * STEP_HZ / 1e6
    assert high - low == pytest.approx(whole / 1.25)
    assert low + 0.25 * (high - low) == pytest.approx(LOW_HZ / 1e6 + 0.25 * whole)
    for _ in range(40):
        view.wheelEvent(Wheel(0.0, True))
    assert np.diff(view.axes()[0].x) == pytest.approx(whole / 100)
    next(a for a in view.actions() if a.text() == "All of the band").trigger()
    assert view.axes()[0].x == pytest.approx((LOW_HZ / 1e6, LOW_HZ / 1e6 + whole))


def test_azimuths_without_a_heading_have_the_axis_that_holds_them(qt):
    _, view = shown(band_sink(), [signal(1, 1e5, (20.0,))])
    assert view.axes()[2].y == (-90.0, 90.0)
    _, view = shown(band_sink(), [signal(1, 1e5, (120.0,))])
    assert view.axes()[2].y == (-180.0, 180.0)
    _, view = shown(band_sink(), [signal(1, 1e5, (200.0,))])
    assert view.axes()[2].y == (0.0, 360.0)


def test_what_is_no_message_is_counted_and_the_sink_goes_on(qt):
    sink = band_sink()
    run(posting([pmt.to_pmt({"schema": "doamc.signal/1"}), pmt.intern("x"), pmt.to_pmt(signal(1))], sink, "signals"))
    run(
        posting([pmt.to_pmt(as_sent(spectrum()) | {"step_hz": 0.0}), pmt.to_pmt(as_sent(spectrum()))], sink, "spectrum")
    )
    assert sink.counters["failed"] == 3 and sink.counters["shown"] == 2


@pytest.mark.parametrize("wrong", [{"trail": -1}, {"convention": "x"}, {"update_time": 0}])
def test_arguments_out_of_range_are_refused(qt, wrong):
    with pytest.raises(ViewError, match="expected"):
        band_sink(**wrong)

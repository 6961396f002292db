"""The estimate of tests/doamc/one_bearing.py in Qt's windows: needles, figures, dots and the recorder's annotations."""

import json

import numpy as np
import pmt
import pytest
from gr_doamc import bearing_history_sink, compass_sink, recorder

from doamc.views.palette import COLOURS
from tests.doamc.one_bearing import BEARINGS, message
from tests.gr.looking import middle_deg, of_colour, picture, screen_angles, show
from tests.gr.running import batch_message, posting, run


def test_needles_and_words_of_the_compass(qt):
    sink = compass_sink(history=0.0)
    view = sink.qwidget()
    view.resize(520, 420)
    run(posting([pmt.to_pmt(message(1))], sink, "estimates"))
    show(view, qt.QApplication.instance(), 1)
    centre, radius = view.rose()
    for colour, bearing in zip(COLOURS, BEARINGS, strict=False):
        angles = screen_angles(of_colour(picture(view), colour), centre, 0.4 * radius, 0.9 * radius)
        assert (90.0 - middle_deg(angles)) % 360 == pytest.approx(bearing, abs=0.5)  # north is up
    shown = [view.shown.text(float(a), digits=2) for a in view.reading.azimuth_deg]
    assert shown == [f"{b:.2f}°" for b in BEARINGS]


def test_dots_of_the_history(qt):
    sink = bearing_history_sink(span=10.0, autoscale=False, ymin=0.0, ymax=360.0)
    view = sink.qwidget()
    view.resize(700, 400)
    run(posting([pmt.to_pmt(message(1, sample_time=5.0, std_deg=None))], sink, "estimates"))
    view.take_in()
    frame = view.axes().frame
    for colour, bearing in zip(COLOURS, BEARINGS, strict=False):
        points = of_colour(picture(view), colour)
        inside = points[(points[:, 1] > frame.top()) & (points[:, 0] > frame.left())]
        degrees = 360.0 * (frame.bottom() - inside[:, 1].mean() - 0.5) / frame.height()
        assert degrees == pytest.approx(bearing, abs=1.0)  # a pixel is a degree


def test_annotations_of_the_recorder(tmp_path):
    """Aperture plus signal is the bearing, in the capture of each batch."""
    kept = recorder(str(tmp_path / "r"))
    kept.start()
    kept._on_snapshots(batch_message(np.ones((5, 64), np.complex64), 3))
    kept._on_estimate(pmt.to_pmt(message(0, batch_seq=3)))
    kept.stop()
    table = json.loads((tmp_path / "r.sigmf-meta").read_text())
    (capture,), made = table["captures"], table["annotations"]
    azimuths = [capture["spatial:aperture_azimuth"] + a["spatial:signal_bearing"]["azimuth"] for a in made]
    assert [a % 360 for a in azimuths] == pytest.approx(BEARINGS)
    line = json.loads((tmp_path / "r.jsonl").read_text())
    assert [s["bearing_deg"] for s in line["sources"]] == BEARINGS

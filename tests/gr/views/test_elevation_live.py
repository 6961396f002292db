"""The flowgraph of azimuth and elevation: compiled, run without a screen, looked at."""

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from doamc.angles import great_circle_deg
from doamc.estimates import Subscriber
from doamc.estimates.truth import Truth
from doamc.views.palette import COLOURS
from tests.gr.looking import of_colour, picture
from tests.gr.running import compile_flowgraphs

FLOWGRAPH = Path(__file__).resolve().parents[3] / "flowgraphs" / "elevation_live.grc"


def test_the_window_shows_the_sky(qt, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # the window's place is a setting of the user
    compile_flowgraphs([FLOWGRAPH], tmp_path)
    spec = importlib.util.spec_from_file_location("elevation_live", tmp_path / "elevation_live.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    window = module.elevation_live(method="ml", address="tcp://127.0.0.1:*")
    window.resize(1100, 850)
    compass = window.compass_sink.qwidget()
    with Subscriber(window.zmq_publisher.address, topics=("doamc",)) as subscriber:
        told = []
        window.start()
        try:
            window.show()
            end = time.monotonic() + 120
            while len(compass.trail) < 20:
                assert time.monotonic() < end, "no estimates came to the window"
                qt.QApplication.instance().processEvents()
                if item := subscriber.receive(0.01):
                    told.append(item)
        finally:
            window.stop()
            window.wait()
    compass.take_in()
    reading = compass.reading
    truth = Truth()
    for topic, message in told:
        if topic == "doamc.truth":
            truth.add(message)
    azimuth, elevation = truth.azimuth_deg(reading.time_s), truth.elevation_deg(reading.time_s)
    assert (azimuth[0], elevation[0]) == (60.0, 35.0) and elevation[1] == pytest.approx(25.0 + 2.0 * reading.time_s)
    # the bound is half a degree and less
    away = great_circle_deg(reading.azimuth_deg[:, None], reading.elevation_deg[:, None], azimuth, elevation)
    assert np.diag(away).max() < 2.0 and np.isfinite(reading.elevation_std_deg).all()
    assert not compass.below
    points = of_colour(picture(compass), COLOURS[0])
    place = compass.sky().point(60.0, 35.0)
    assert np.hypot(*(points + 0.5 - [place.x(), place.y()]).T).min() < 3.0

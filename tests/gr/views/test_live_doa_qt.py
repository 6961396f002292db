"""The flowgraphs with a window: compiled, run without a screen, looked at, closed."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from doamc.angles import great_circle_deg
from doamc.estimates import Subscriber
from doamc.estimates.truth import Truth
from doamc.views.palette import COLOURS
from tests.gr.looking import middle_deg, of_colour, picture, screen_angles
from tests.gr.running import compile_flowgraphs

FLOWGRAPHS = Path(__file__).resolve().parents[3] / "flowgraphs"
NAMES = ("live_doa_qt", "elevation_live")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    compile_flowgraphs([FLOWGRAPHS / f"{name}.grc" for name in NAMES], folder)
    return folder


@pytest.fixture
def open_window(scripts, monkeypatch, tmp_path):
    """Opens the window of a flowgraph."""
    monkeypatch.setenv("HOME", str(tmp_path))  # the window's place is a setting of the user

    def opened(name):
        spec = importlib.util.spec_from_file_location(name, scripts / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        window = getattr(module, name)(method="ml", address="tcp://127.0.0.1:*")
        window.resize(1100, 850)
        return window

    return opened


def test_the_window_shows_what_is_estimated(qt, open_window):
    window = open_window("live_doa_qt")
    compass, history, matrix = (
        getattr(window, name).qwidget() for name in ("compass_sink", "bearing_history_sink", "coupling_matrix_sink")
    )
    window.start()
    try:
        window.show()
        end = time.monotonic() + 120
        while len(history.points) < 20:
            assert time.monotonic() < end, "no estimates came to the window"
            qt.QApplication.instance().processEvents()
            time.sleep(0.01)
    finally:
        window.stop()
        window.wait()
    for view in (compass, history, matrix):
        view.take_in()
    still, moving = compass.reading.azimuth_deg
    # one emitter stands at -25 degrees, the other moves at 2 degrees a second; the bound is far below
    assert still == pytest.approx(-25.0, abs=1.0)
    assert moving == pytest.approx(2.0 * compass.reading.time_s, abs=1.0)
    points = of_colour(picture(compass), COLOURS[0])
    centre, radius = compass.rose()
    assert middle_deg(screen_angles(points, centre, 0.5 * radius, 0.98 * radius)) == pytest.approx(-25.0, abs=1.5)
    assert matrix.coupling.shape == (8, 8) and np.allclose(np.diag(matrix.coupling), 1.0, atol=0.2)
    # all three stand in the window, without overlap, the history below the others
    places = [view.geometry() for view in (compass, matrix, history)]
    assert not any(a.intersects(b) for k, a in enumerate(places) for b in places[:k])
    assert places[2].top() > max(places[0].bottom(), places[1].bottom())


def test_the_window_shows_the_sky(qt, open_window):
    window = open_window("elevation_live")
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


@pytest.fixture(scope="module")
def band_script(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scripts")
    compile_flowgraphs([FLOWGRAPHS / "band_live_qt.grc"], folder)
    return folder / "band_live_qt.py"


def test_the_program_runs_and_ends_when_told(child, scripts, tmp_path):
    runs_and_ends(child, tmp_path, scripts / "live_doa_qt.py", "doamc.estimate", "--method", "music")


@pytest.mark.slow
def test_a_band_is_left_in_the_middle_of_whole_estimates(child, band_script, tmp_path):
    recording = FLOWGRAPHS / "recordings" / "kraken5_mixed_2.sigmf-meta"
    runs_and_ends(child, tmp_path, band_script, "doamc.signal", "--recording", recording, "--array", "kraken5")


def runs_and_ends(child, tmp_path, script, topic, *options):
    """Run a program until it has told something of a topic, and end it: status 0, and no word."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    command = [sys.executable, script, "--address", address, *options]
    process = child(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    with Subscriber(address, topics=(topic,)) as subscriber:
        assert subscriber.receive(90.0) is not None
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in err and "terminate" not in err

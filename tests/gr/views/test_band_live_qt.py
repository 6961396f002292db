"""The flowgraph of a band with a window: compiled, run without a screen, looked at, closed."""

import importlib.util
import time
from pathlib import Path

import pytest

from doamc.cli import main
from tests.gr.running import compile_flowgraphs

FLOWGRAPH = Path(__file__).resolve().parents[3] / "flowgraphs" / "band_live_qt.grc"
SCENE = """
frequency_hz = 300e6
sample_rate_hz = 240e3
duration_s = 0.4
[[emitters]]
kind = "nfm"
frequency_hz = 299.95e6
bandwidth_hz = 12.5e3
azimuth_deg = 40.0
snr_db = 20.0
"""


def test_the_window_shows_the_band(qt, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))  # the window's place is a setting of the user
    compile_flowgraphs([FLOWGRAPH], tmp_path)
    (tmp_path / "band.toml").write_text(SCENE)
    capture = tmp_path / "band.sigmf-meta"
    assert main(["simulate", "uca5", "--band", str(tmp_path / "band.toml"), "-o", str(capture)]) == 0
    spec = importlib.util.spec_from_file_location("band_live_qt", tmp_path / "band_live_qt.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    window = module.band_live_qt(
        recording=str(capture), method="ml", sources=1, pace=0, repeat=0, duration=0, address="tcp://127.0.0.1:*"
    )
    window.resize(900, 800)
    view = window.band_sink.qwidget()
    window.start()
    try:
        window.show()
        end = time.monotonic() + 120
        while view.ring.count < 6 or not view.trail:  # of three slices each
            assert time.monotonic() < end, "no spectra or no bearings came to the window"
            qt.QApplication.instance().processEvents()
            time.sleep(0.01)
    finally:
        window.stop()
        window.wait()
    view.take_in()
    assert view.ring.band_hz == pytest.approx((300e6 - 120e3, 300e6 + 120e3))
    newest = view.ring.newest
    at = newest.low_hz + newest.step_hz * (int(newest.power_dbfs.argmax()) + 0.5)
    assert at == pytest.approx(299.95e6, abs=10e3)
    (signal,) = view.current()
    assert signal.frequency_hz == pytest.approx(299.95e6, abs=2e3)
    assert view.trail[-1][2] == pytest.approx(40.0, abs=1.0)
    assert window.band_sink.counters["failed"] == 0

"""Signals of a band as views keep them, and the table of the terminal."""

import io

from rich.console import Console

from doamc.views import Convention, Health
from doamc.views.band import MOST, SHOWN_S, SILENT_S, Band
from doamc.views.terminal_band import band_screen, signals_table


def message(number, offset_hz, ended=False, azimuth_deg=20.0, track=None):
    sources = [] if azimuth_deg is None else [
        {"azimuth_deg": azimuth_deg, "std_deg": 0.25, "interval_deg": [None, None], "power_db": 0.0,
         "track": None if track is None else {"id": track}}
    ]  # fmt: skip
    return {
        "id": number, "frequency_hz": 433e6 + offset_hz, "bandwidth_hz": 12.5e3, "snr_db": 10.0 + number,
        "start_s": 1.0, "stop_s": 3.5, "sources": sources, "ended": ended, "array": "uca5", "method": "posterior",
        "latency_ms": {"total": 42.0},
    }  # fmt: skip


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def written(renderable):
    console = Console(width=100, height=40, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_signals_are_sorted_by_frequency_and_those_that_ended_leave():
    clock = Clock()
    band = Band(clock)
    for m in (message(1, 50e3), message(2, -50e3), message(1, 51e3), message(3, 0.0, ended=True)):
        band.take(m)
    assert [m["id"] for m in band.signals()] == [2, 3, 1] and band.heard == 4
    clock.now = SHOWN_S
    assert [m["id"] for m in band.signals()] == [2, 1]
    clock.now = SILENT_S
    assert band.signals() == []


def test_no_more_signals_are_kept_than_a_view_can_show():
    band = Band(Clock())
    for k in range(MOST + 10):
        band.take(message(k, 10.0 * k))
    assert len(band.signals()) == MOST


def test_the_table_has_a_row_a_source_and_leaves_out_the_weakest():
    band = Band(Clock())
    band.take(message(1, 0.0, track=7))
    band.take(message(2, 1e5, azimuth_deg=None))
    lines = written(signals_table(band, Convention("math"), 10)).splitlines()
    assert lines[1].split() == ["433.0000", "12.5", "11.0", "dB", "2.5", "s", "7", "+20.0°", "0.25°"]
    assert lines[2].split() == ["433.1000", "12.5", "12.0", "dB", "2.5", "s", "-", "-"]
    for k in range(3, 20):
        band.take(message(k, 1e5 * k))
    few = written(signals_table(band, Convention("math"), 5))
    assert "15 more" in few and "434.9000" in few and "433.0000" not in few


def test_the_screen_tells_latency_and_losses():
    band = Band(Clock())
    band.take(message(1, 0.0))
    text = written(band_screen(band, Convention("math"), Health(), {"lost": 3}, "tcp://here", 24, "keys are missing"))
    assert "uca5, posterior, 1 signals, latency 42.0 ms, lost 3, dropped 0" in text and "keys are missing" in text
    assert "latency -" in written(band_screen(Band(Clock()), Convention("math"), Health(), {}, "tcp://here", 24))

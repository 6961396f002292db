"""Rows of logs: one a source, by the columns' names, with nothing made up."""

import pytest

from doamc.estimates.log_rows import COLUMNS, log_rows, spreadsheet_text
from tests.doamc.estimates.bearings import message


def rows(sent):
    return [dict(zip(COLUMNS, row, strict=True)) for row in log_rows(sent)]


def test_every_source_has_a_row_of_everything_that_is_known():
    sent = message([-23.4, 200.0], [0.25, 1.5], [0.0, -3.0], seq=7, interval_deg=[[-24.0, -22.5], [197.5, 202.5]])
    for source, bearing in zip(sent["sources"], (113.4, 250.0), strict=True):
        source |= {"bearing_deg": bearing, "bearing_interval_deg": [bearing - 1, bearing + 1]}
    sent["sources"][0] |= {"elevation_deg": 31.2, "elevation_std_deg": 0.5, "elevation_interval_deg": [30.4, 32.1]}
    sent |= {"heading_deg": 90.0, "receiver": {"latitude": 48.1372, "longitude": 11.5756}}
    sent |= {"fit": {"misfit": 35.12345, "probability": 0.0, "doubtful": True, "cause": "unequal noise"}}
    first, second = rows(sent)
    assert first == {
        "time_utc": "2026-09-21T14:13:20.123Z", "time_s": 1790000000.123, "sample_time_s": 0.5, "seq": 7,
        "frequency_hz": 433.92e6, "array": "uca5", "method": "ml", "n_sources": 2, "source": 1, "azimuth_deg": -23.4,
        "std_deg": 0.25, "low_deg": -24.0, "high_deg": -22.5, "bearing_deg": 113.4, "bearing_low_deg": 112.4,
        "bearing_high_deg": 114.4, "heading_deg": 90.0, "power_db": 0.0, "noise_db": -10.0, "snapshots": 256,
        "latency_ms": 15.0, "latitude_deg": 48.1372, "longitude_deg": 11.5756, "misfit": 35.123, "doubtful": 1,
        "cause": "unequal noise", "elevation_deg": 31.2, "elevation_std_deg": 0.5, "elevation_low_deg": 30.4,
        "elevation_high_deg": 32.1,
    }  # fmt: skip
    assert (second["source"], second["azimuth_deg"], second["bearing_deg"]) == (2, 200.0, 250.0)


def test_what_is_not_known_is_empty_and_no_emitter_is_no_row():
    (row,) = rows(message([10.0], frequency_hz=None, noise_power=None, sample_time=None, time=1e30))
    empty = {name for name, value in row.items() if value is None}
    assert empty == {
        "time_utc", "sample_time_s", "frequency_hz", "std_deg", "low_deg", "high_deg", "bearing_deg", "noise_db",
        "bearing_low_deg", "bearing_high_deg", "heading_deg", "power_db", "latitude_deg", "longitude_deg",
        "misfit", "doubtful", "cause", "elevation_deg", "elevation_std_deg", "elevation_low_deg", "elevation_high_deg",
    }  # fmt: skip
    assert rows(message([])) == []


def test_columns_tell_their_units():
    plain = {"time_utc", "seq", "array", "method", "n_sources", "source", "snapshots", "misfit", "doubtful", "cause"}
    assert {name.rpartition("_")[2] for name in COLUMNS.keys() - plain} == {"s", "hz", "deg", "db", "ms"}


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", "\tx"])
def test_a_spreadsheet_runs_nothing(text):
    assert spreadsheet_text(text) == "'" + text and spreadsheet_text("uca5") == "uca5"

"""Bearings of logs: the same from lines, tables and databases; what is not there, or damaged, is counted."""

import json
import math
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.estimates import Recorder, make_message
from doamc.estimates.bearing_log import ROW, UNKNOWN_STD_DEG, Station, read_bearing_log
from doamc.estimates.csv_table import CsvTable
from doamc.estimates.parquet_table import EstimateTable
from doamc.estimates.signal_table import SignalTable
from doamc.estimates.sqlite_table import SqliteTable

LATENCY = {"buffer": 0.0, "inference": 1.0, "total": 1.0}
RECEIVER = {"latitude": 48.1, "longitude": 11.5}


def estimate(seq, azimuths=(20.0, -30.0), stds=(0.5, None), heading=100.0, **more):
    return make_message(
        seq=seq, time=1.79e9 + seq, sample_time=None, azimuth_deg=list(azimuths),
        std_deg=[math.nan if s is None else s for s in stds], power_db=[0.0] * len(azimuths), noise_power=0.1,
        coupling=None, snapshots=100, latency_ms=LATENCY, dropped_batches=0, frequency_hz=433.9e6, array="uca5",
        method="ml", heading_deg=heading, **({"receiver": RECEIVER} | more),
    )  # fmt: skip


def written(folder, suffix, messages):
    path = folder / f"roof{suffix}"
    kind = {".jsonl": Recorder, ".csv": lambda p: CsvTable(p, 100), ".sqlite": lambda p: SqliteTable(p, 100)}[suffix]
    with kind(path) as log:
        for message in messages:
            log.write(message)
    return path


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".sqlite"])
def test_logs_of_all_kinds_say_the_same(tmp_path, suffix):
    log = read_bearing_log(written(tmp_path, suffix, [estimate(0), estimate(1, (20.0,), (0.5,))]), Station())
    assert log.left_out == {} and log.rows.dtype == ROW
    assert log.rows["message"].tolist() == [0, 0, 1]
    assert log.rows["bearing_deg"] == pytest.approx([80.0, 130.0, 80.0])  # heading - azimuth
    assert log.rows["std_deg"] == pytest.approx([0.5, UNKNOWN_STD_DEG, 0.5])
    assert log.rows["weight"].tolist() == [0.5, 0.5, 1.0]
    assert log.rows["time"].tolist() == [1.79e9, 1.79e9, 1.79e9 + 1]
    assert log.rows[["latitude_deg", "longitude_deg"]].tolist() == [(48.1, 11.5)] * 3


def test_modes_are_alternatives_by_their_shares(tmp_path):
    modes = [
        {"share": 0.6, "azimuth_deg": [10.0, 20.0], "std_deg": [1.0, 2.0]},
        {"share": 0.2, "azimuth_deg": [40.0, None], "std_deg": [0.5, None]},
    ]  # fmt: skip
    rows = read_bearing_log(written(tmp_path, ".jsonl", [estimate(0, modes=modes)]), Station()).rows
    assert rows["bearing_deg"].tolist() == [90.0, 80.0, 60.0] and rows["std_deg"].tolist() == [1.0, 2.0, 0.5]
    assert rows["weight"] == pytest.approx([0.375, 0.375, 0.25])


def test_signals_have_numbers_tracks_and_intervals(tmp_path):
    source = {"azimuth_deg": 5.0, "std_deg": None, "interval_deg": [3.0, 7.0], "power_db": 0.0,
              "track": {"id": 4, "azimuth_deg": 5.0, "std_deg": 1.0, "interval_deg": [3.0, 7.0]}}  # fmt: skip
    signal = {"schema": "doamc.signal/1", "id": 9, "frequency_hz": 1e8, "time": None, "sources": [source],
              "fit": {"doubtful": True}}  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(signal) + "\n")
    row = read_bearing_log(path, Station(48.0, 11.0, 90.0)).rows[0]
    assert (row["signal"], row["track"], row["doubtful"], row["bearing_deg"]) == (9, 4, True, 85.0)
    assert row["std_deg"] == pytest.approx(2.0 / 1.6448536) and np.isnan(row["time"])


def test_tables_of_archives_say_what_their_captures_said(tmp_path):
    nan = math.nan
    arrays = {
        "batch": np.arange(2), "time": np.array([1.79e9, nan]), "frequency_hz": np.array([433e6, 434e6]),
        "n_sources": np.array([2, 1]), "doa_deg": np.array([[10.0, 20.0], [30.0, nan]]),
        "doa_std_deg": np.array([[1.0, nan], [2.0, nan]]), "bearing_deg": np.array([[90.0, 80.0], [70.0, nan]]),
        "mode_doa_deg": np.array([[[10.0, 20.0], [nan, nan]], [[30.0, nan], [-30.0, nan]]]),
        "mode_std_deg": np.array([[[1.0, 1.0], [nan, nan]], [[2.0, nan], [3.0, nan]]]),
        "mode_share": np.array([[1.0, 0.0], [0.75, 0.25]]), "fit_doubtful": np.array([False, True]),
    }  # fmt: skip
    with open(tmp_path / "roof.parquet", "wb") as file, EstimateTable(file, {}) as table:
        table.append(arrays)
    rows = read_bearing_log(tmp_path / "roof.parquet", Station(48.0, 11.0)).rows
    assert rows["bearing_deg"].tolist() == [90.0, 80.0, 70.0, 130.0]
    assert rows["std_deg"].tolist() == [1.0, UNKNOWN_STD_DEG, 2.0, 3.0]
    assert rows["weight"].tolist() == [0.5, 0.5, 0.75, 0.25] and rows["doubtful"].tolist() == [False, False, True, True]
    assert rows["frequency_hz"].tolist() == [433e6, 433e6, 434e6, 434e6] and np.isnan(rows["time"][2:]).all()
    source = {"azimuth_deg": 5.0, "std_deg": 0.5, "interval_deg": [4.0, 6.0], "power_db": 0.0, "track": {"id": 4}}
    signal = {"id": 9, "frequency_hz": 1e8, "time": 5.0, "sources": [source], "fit": None, "heading_deg": 90.0}
    lines = json.dumps(signal | {"schema": "doamc.signal/1"}).encode() + b"\n"
    (tmp_path / "a.jsonl").write_bytes(lines)
    with open(tmp_path / "a.parquet", "wb") as file, SignalTable(file, {}) as table:
        table.append(lines)
    both = [read_bearing_log(tmp_path / f"a.{end}", Station(48.0, 11.0)).rows for end in ("jsonl", "parquet")]
    assert both[0].tolist() == both[1].tolist() and both[0]["bearing_deg"].tolist() == [85.0]


def test_what_is_told_of_a_station_counts_before_the_log(tmp_path):
    path = written(tmp_path, ".jsonl", [estimate(0, (20.0,), (0.5,))])
    row = read_bearing_log(path, Station(10.0, 20.0, 50.0)).rows[0]
    assert (row["latitude_deg"], row["longitude_deg"], row["bearing_deg"]) == (10.0, 20.0, 30.0)


def test_what_is_not_there_is_counted(tmp_path):
    messages = [
        estimate(0, heading=None), estimate(1, receiver={}), estimate(2, (), ()), estimate(3) | {"sources": [1]},
        estimate(4) | {"frequency_hz": "x"}, estimate(5),
    ]  # fmt: skip
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(m) + "\n" for m in messages) + "{}\n[\n")
    log = read_bearing_log(path, Station())
    assert log.rows["time"].tolist() == [1.79e9 + 5] * 2
    assert log.left_out == {
        "damaged": 4, "without a direction": 1, "without a heading": 1, "without a place of the station": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.txt", b"", "a log of bearings (.jsonl, .csv"), ("a.csv", b"x,y\n1,2\n", "a log that begins with"),
        ("a.sqlite", b"no database, but long enough to be one" * 50, "cannot read"),
        ("a.db", b"", "the table bearings"), ("a.parquet", b"PAR1 and no more", "cannot read"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_refused(tmp_path, name, text, said):
    (tmp_path / name).write_bytes(text)
    with pytest.raises(RecordingError) as refusal:
        read_bearing_log(tmp_path / name, Station())
    assert said in str(refusal.value)


def test_a_view_in_the_place_of_the_table_is_refused(tmp_path):
    """It may have rows without end."""
    with closing(sqlite3.connect(tmp_path / "a.sqlite")) as database:
        rows = "WITH RECURSIVE t(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM t) SELECT id, id AS time_s FROM t"
        database.execute(f"CREATE VIEW bearings AS {rows}")
        database.commit()
    with pytest.raises(RecordingError, match="with the table bearings, found another"):
        read_bearing_log(tmp_path / "a.sqlite", Station())


def test_too_many_directions_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("doamc.estimates.bearing_log.MOST_ROWS", 3)
    with pytest.raises(RecordingError, match="at most 3 directions"):
        read_bearing_log(written(tmp_path, ".jsonl", [estimate(0), estimate(1)]), Station())


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_log_that_was_saved_on_windows_is_read(tmp_path, suffix):
    """With a byte order mark before it, and two characters at the end of each line."""
    path = written(tmp_path, suffix, [estimate(0), estimate(1)])
    before = read_bearing_log(path, Station()).rows
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    log = read_bearing_log(path, Station())
    assert log.rows.tolist() == before.tolist() and log.left_out == {}

"""The log for spreadsheets: read back by a reader of CSV, continued, bounded, and never with half a row."""

import csv
import os

import pytest

from doamc.errors import RecordingError
from doamc.estimates.csv_table import HEADER, CsvTable
from doamc.estimates.log_rows import COLUMNS
from tests.doamc.estimates.bearings import message

MANY = 10**6


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.csv"


def test_a_spreadsheet_reads_a_header_and_a_row_a_source(path):
    with CsvTable(path, MANY) as table:
        table.write(message([10.0, 200.0], [0.5, 1.0], [0.0, -3.0], seq=4, array="=uca5,"))
        table.write(message([], seq=5))
        table.write(message([30.0], seq=6))
    found = read(path)
    assert list(found[0]) == list(COLUMNS)
    assert [(r["seq"], r["source"], r["azimuth_deg"]) for r in found] == [
        ("4", "1", "10.0"),
        ("4", "2", "200.0"),
        ("6", "1", "30.0"),
    ]
    assert found[0]["array"] == "'=uca5," and found[0]["time_utc"].endswith("Z") and found[2]["std_deg"] == ""
    assert path.read_bytes().endswith(b"\n") and b"\r" not in path.read_bytes()


def test_it_goes_on_where_it_ended_and_cuts_off_a_torn_row(path):
    with CsvTable(path, MANY) as table:
        table.write(message([10.0], seq=0))
        table.write(message([20.0], seq=1))
    whole = path.read_bytes()
    for torn in (
        whole[:-1],
        whole[:-9],
        whole[: whole.index(b"\n", len(HEADER)) + 5],
    ):  # as after kill -9 or a full disk
        path.write_bytes(torn)
        with CsvTable(path, MANY) as table:
            table.write(message([30.0], seq=2))
        assert [r["seq"] for r in read(path)] == ["0", "2"]
    for torn in (b"", HEADER[:10], HEADER[:-1]):
        path.write_bytes(torn)
        with CsvTable(path, MANY) as table:
            table.write(message([30.0], seq=3))
        assert [r["seq"] for r in read(path)] == ["3"]


def test_rows_are_bounded_by_two_files(path):
    with CsvTable(path, 10) as table:
        for k in range(23):
            table.write(message([10.0], seq=k))
    assert [int(r["seq"]) for r in read(f"{path}.1") + read(path)] == list(range(15, 23))
    with CsvTable(path, 10) as table:  # a restart counts what is there
        for k in range(23, 26):
            table.write(message([10.0], seq=k))
    assert [int(r["seq"]) for r in read(f"{path}.1") + read(path)] == list(range(20, 26))
    assert sorted(p.name for p in path.parent.iterdir()) == ["log.csv", "log.csv.1"]


def test_another_table_is_not_touched(path):
    for other in (b"a,b\n1,2", HEADER.replace(b"seq", b"seg") + b"1", b"\x00" * 5000):
        path.write_bytes(other)
        with pytest.raises(RecordingError, match="name another file"):
            CsvTable(path, MANY)
        assert path.read_bytes() == other


def test_one_writer_at_a_time(path):
    with CsvTable(path, MANY), pytest.raises(RecordingError, match="somebody else is writing"):
        CsvTable(path, MANY)
    CsvTable(path, MANY).close()


@pytest.mark.parametrize("place", ["no/file.csv", "folder", "/dev/full", "/dev/null"])
def test_what_is_no_file_is_refused(tmp_path, place):
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordingError, match="cannot write"):
        CsvTable(tmp_path / place, MANY)


def test_a_row_that_does_not_fit_is_refused_whole(path, monkeypatch):
    real = os.write
    with CsvTable(path, MANY) as table:
        table.write(message([10.0], seq=0))
        monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:20]))  # the disk fills up
        with pytest.raises(RecordingError, match="disk full"):
            table.write(message([20.0], seq=1))
        monkeypatch.undo()
        table.write(message([30.0], seq=2))
    assert [r["seq"] for r in read(path)] == ["0", "2"]


def test_a_log_with_fewer_columns_is_put_aside_and_kept(path):
    older = HEADER.replace(b",elevation_deg,elevation_std_deg,elevation_low_deg,elevation_high_deg", b"") + b"1,2\n"
    path.write_bytes(older)
    with CsvTable(path, 100) as table:
        table.write(message([10.0]))
    assert path.read_bytes().startswith(HEADER)
    assert path.with_name(path.name + ".1").read_bytes() == older

"""Messages from logs that are tables: comma-separated values and databases, a row a source, and Parquet files."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from doamc.angles import circle_deg
from doamc.errors import RecordingError
from doamc.estimates.csv_table import HEADER
from doamc.estimates.log_rows import COLUMNS
from doamc.estimates.sqlite_table import TABLE
from doamc.files.remote import file_at, is_url, open_lines
from doamc.protocol import ESTIMATE_SCHEMA, SIGNAL_SCHEMA
from doamc.text import reason, shown

#: columns that bearings need
_NUMBERS = ("time_s", "frequency_hz", "azimuth_deg", "std_deg", "low_deg", "high_deg", "heading_deg", "latitude_deg",
            "longitude_deg", "doubtful", "seq", "source")  # fmt: skip
#: columns of tables of estimates and of signals that bearings need
_OF_ESTIMATES = ("time", "frequency_hz", "doa_deg", "doa_std_deg", "bearing_deg", "mode_doa_deg", "mode_std_deg",
                 "mode_share", "fit_doubtful")  # fmt: skip
_OF_SIGNALS = ("id", "time", "frequency_hz", "heading_deg", "sources", "fit")
#: bytes of a line that are read at once; none that is written is longer
_LINE = 1 << 16


def csv_messages(path: str | Path, left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Messages of a log of comma-separated values. left_out: rows that are damaged are counted there.

    They have what of ``doamc.estimate/1`` bearings need. Raises RecordingError when the file is no such log.
    """
    try:
        with open_lines(path) as file:
            head = file.readline(len(HEADER) + 1)
            if not HEADER.startswith(head.rstrip(b"\r\n")) or not head.startswith(HEADER[:22]):
                raise RecordingError(
                    f"{path}: expected a log that begins with {HEADER[:22].decode()}, found "
                    f"{shown(head[:40].decode(errors='replace').rstrip())}"
                )
            names = head.decode().strip().split(",")
            texts = iter(lambda: file.readline(_LINE), b"")
            lines = (text.decode(errors="replace").replace("\0", "") for text in texts)
            yield from _of_table((dict(zip(names, row, strict=False)) for row in csv.reader(lines)), left_out)
    except (OSError, csv.Error) as error:
        raise RecordingError(f"cannot read {path}: {reason(error)}") from error


def sqlite_messages(path: str | Path, left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The same of a database."""
    if is_url(path):
        raise RecordingError(f"{path}: expected a database as a file of this machine, found a URL; copy it here")
    try:
        with closing(sqlite3.connect(f"file:{Path(path).resolve().as_posix()}?mode=ro", uri=True)) as database:
            names = [str(row[1]) for row in database.execute(f"PRAGMA table_info({TABLE})")]
            columns = [name for name in COLUMNS if name in names]
            kind = database.execute("SELECT type FROM sqlite_master WHERE name = ?", (TABLE,)).fetchone()
            if kind != ("table",) or "time_s" not in columns:  # a view need not end
                raise RecordingError(f"{path}: expected a database with the table {TABLE}, found another")
            table = database.execute(f"SELECT {', '.join(columns)} FROM {TABLE} ORDER BY id")
            yield from _of_table((dict(zip(columns, row, strict=True)) for row in table), left_out)
    except sqlite3.Error as error:
        raise RecordingError(f"cannot read {path}: {reason(error)}") from error


def parquet_messages(path: str | Path, left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    """The same of a Parquet file that ``doamc estimate`` or ``scan`` wrote of a capture of many."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise RecordingError(f"{path}: expected pyarrow, found none; pip install 'gr-doamc[scale]'") from error
    try:
        with file_at(path).open("rb") as file:
            table = pq.ParquetFile(file)
            names = set(table.schema_arrow.names)
            if not (names >= set(_OF_SIGNALS) or names >= set(_OF_ESTIMATES)):
                raise RecordingError(f"{path}: expected a table of doamc estimate or scan, found another")
            signals = names >= set(_OF_SIGNALS)
            for block in table.iter_batches(1 << 12, columns=list(_OF_SIGNALS if signals else _OF_ESTIMATES)):
                rows = block.to_pylist()
                yield from (row | {"schema": SIGNAL_SCHEMA} for row in rows) if signals else map(_estimate, rows)
    except (OSError, pa.ArrowException) as error:
        raise RecordingError(f"cannot read {path}: {reason(error)}") from error


def _estimate(row: dict[str, Any]) -> dict[str, Any]:
    """A row of a table of estimates as a message."""
    azimuths = row["doa_deg"] or []
    stds, bearings = (row[k] or [None] * len(azimuths) for k in ("doa_std_deg", "bearing_deg"))
    modes = zip(row["mode_share"] or [], row["mode_doa_deg"] or [], row["mode_std_deg"] or [], strict=False)
    return {
        "schema": ESTIMATE_SCHEMA, "time": row["time"], "frequency_hz": row["frequency_hz"],
        "fit": {"doubtful": bool(row["fit_doubtful"])},
        "sources": [
            {"azimuth_deg": a, "std_deg": _known(s), "bearing_deg": b}
            for a, s, b in zip(azimuths, stds, bearings, strict=True)
        ],
        "modes": [
            {"share": share, "azimuth_deg": list(map(_known, a)), "std_deg": list(map(_known, s))}
            for share, a, s in modes if share
        ],
    }  # fmt: skip


def _known(value: float | None) -> float | None:
    return None if value is None or value != value else value


def _of_table(rows: Iterator[dict[str, Any]], left_out: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Messages of a table with a row a source: rows of one number and time that follow each other, from source 1 on."""
    held, key = list[dict[str, Any]](), None
    for row in rows:
        try:
            told = {k: None if row.get(k) in (None, "") else float(row[k]) for k in _NUMBERS}
        except (ValueError, TypeError):
            left_out["damaged"] = left_out.get("damaged", 0) + 1
            continue
        if held and (told["source"] == 1 or (told["seq"], told["time_s"]) != key):
            yield _message(held)
            held = []
        key = told["seq"], told["time_s"]
        held.append(told)
    if held:
        yield _message(held)


def _message(rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = rows[0]
    return {
        "schema": ESTIMATE_SCHEMA, "time": first["time_s"], "frequency_hz": first["frequency_hz"],
        "heading_deg": None if first["heading_deg"] is None else circle_deg(first["heading_deg"]),
        "receiver": {"latitude": first["latitude_deg"], "longitude": first["longitude_deg"]},
        "fit": {"doubtful": bool(first["doubtful"])},
        "sources": [
            {"azimuth_deg": r["azimuth_deg"], "std_deg": r["std_deg"], "interval_deg": [r["low_deg"], r["high_deg"]]}
            for r in rows
        ],
    }  # fmt: skip

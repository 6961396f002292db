"""Logs that are continued: tables of comma-separated values and databases that somebody else has had a hand in."""

import json
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from doamc.cli.locate_work import ALL_ROWS, locate_window
from doamc.estimates import Recorder, validate
from doamc.estimates.bearing_log import Station, read_bearing_log
from doamc.estimates.csv_table import CsvTable
from doamc.estimates.log_rows import log_rows
from doamc.estimates.sqlite_table import SqliteTable
from tests.doamc.estimates.mutations import estimate
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled

KEEP = 1000


@cache
def log(kind: type[CsvTable] | type[SqliteTable]) -> bytes:
    """A log as it is written."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "log"
        with kind(path, KEEP) as table:
            for seq in range(20):
                table.write(estimate(seq))
        return path.read_bytes()


def draw(kind: type[CsvTable] | type[SqliteTable], random: Random) -> bytes:
    """A log, most of them damaged; the head of a database more often than chance would have it."""
    data = log(kind)
    if random.random() < 0.1:
        return data[: random.randrange(len(data))]
    if random.random() < 0.5:
        return damaged(data[:200], random) + data[200:]
    return damaged(data, random)


def use_csv(data: bytes, folder: Path) -> None:
    """One that is continued keeps its whole rows and gets those of another estimate."""
    path = folder / "log.csv"
    path.write_bytes(data)
    with CsvTable(path, KEEP) as table:
        before = table.rows
        table.write(estimate(1))
    rows = len(log_rows(estimate(1)))
    assert path.read_bytes().count(b"\n") == 1 + before + rows and path.read_bytes().endswith(b"\n")


def use_sqlite(data: bytes, folder: Path) -> None:
    """One that is continued has the newest estimate; whatever else it is told, in one line."""
    path = folder / "log.sqlite"
    path.write_bytes(data)
    try:
        with SqliteTable(path, KEEP) as table:
            table.write(estimate(77))
        with closing(sqlite3.connect(path)) as database:
            newest = database.execute("SELECT seq FROM bearings ORDER BY id DESC LIMIT 1").fetchone()
        assert newest == (77,)
    finally:
        for end in ("-wal", "-shm", "-journal"):  # of a database that cannot be closed as it should be
            Path(f"{path}{end}").unlink(missing_ok=True)


def draw_bearings(random: Random) -> bytes:
    """The ending of a log, a line, and what is in it: lines, a table or a database."""
    kind = random.choice((CsvTable, SqliteTable, Recorder))
    if kind is not Recorder:
        return (b".csv\n" if kind is CsvTable else b".sqlite\n") + draw(kind, random)
    lines = [json.dumps(damaged_message(random)) for _ in range(20)]
    return b".jsonl\n" + damaged("\n".join(lines).encode(), random)


def damaged_message(random: Random) -> Any:
    """An estimate with a place, and now and then another value somewhere."""
    made = estimate(random.randrange(9)) | {
        "receiver": {"latitude": random.uniform(-90, 90), "longitude": random.uniform(-180, 180)}, "heading_deg": 1.0,
    }  # fmt: skip
    return spoiled(made, random, ("share", "track", "interval_deg"), (0.0, 1e30, -1e9, None, [], {}, "x", 91.0))


def use_bearings(data: bytes, folder: Path) -> None:
    """What is read is within bounds, and located or refused."""
    suffix, _, held = data.partition(b"\n")
    path = folder / f"log{suffix.decode()}"
    path.write_bytes(held)
    rows = read_bearing_log(path, Station(heading_deg=20.0)).rows
    assert np.isfinite([rows[k] for k in ("bearing_deg", "std_deg", "latitude_deg", "longitude_deg")]).all()
    assert (np.abs(rows["latitude_deg"]) <= 90).all() and (rows["std_deg"] <= 180).all() and (rows["weight"] > 0).all()
    every = np.zeros(min(len(rows), 50), ALL_ROWS)
    for name in rows.dtype.names:
        every[name] = rows[name][: len(every)]
    every["station"] = np.arange(len(every)) % 3
    settings = {"spacing": 5e3, "region": 100.0, "emitters": 2, "probability": 0.9, "outliers": 0.05,
                "heading_std": dict.fromkeys("abc", 1.0)}  # fmt: skip
    task = {"settings": settings, "names": ["a", "b", "c"], "rows": every.tobytes()}
    for line in locate_window(task)["lines"].splitlines() if len(every) else ():
        validate(json.loads(line))


TARGETS = (
    Target("bearing-log", draw_bearings, use_bearings),
    Target("csv-log", lambda random: draw(CsvTable, random), use_csv),
    Target("sqlite-log", lambda random: draw(SqliteTable, random), use_sqlite),
)

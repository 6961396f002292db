"""Logs that are continued: tables of comma-separated values and databases that somebody else has had a hand in."""

import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random

from doamc.estimates.csv_table import CsvTable
from doamc.estimates.log_rows import log_rows
from doamc.estimates.sqlite_table import SqliteTable
from tests.doamc.estimates.mutations import estimate
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged

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


TARGETS = (
    Target("csv-log", lambda random: draw(CsvTable, random), use_csv),
    Target("sqlite-log", lambda random: draw(SqliteTable, random), use_sqlite),
)

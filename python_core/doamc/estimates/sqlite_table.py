"""Log of estimates as a SQLite database: the table ``bearings``, a row a source, which any tool opens while it grows.

A thread of its own writes what has come within `PERIOD_S` in one transaction, so that a slow disk or a lock holds up
nobody, and a crash leaves whole transactions. The journal is a write-ahead log: readers and the writer then never wait
for each other, and a commit waits for no disk. A power cut may lose the last transactions and damages nothing. When the
log is closed, all is put into the one file and the journal goes back to that of other databases, so that the file can
be copied alone and opened where nothing may be written.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.estimates.log_rows import COLUMNS, log_rows
from doamc.files.atomic import check_output
from doamc.text import reason

TABLE = "bearings"
#: of the table; it rises with every change of its columns, and a log of another one is not continued
VERSION = 2
#: "doam": tells this kind of database from others
APPLICATION = 0x646F616D
#: s between two transactions
PERIOD_S = 1.0
#: estimates that may wait while the file is locked or the disk full; beyond that new ones are refused
WAITING = 1000
#: s that a transaction waits for a lock, and that closing may take
_PATIENCE_S, _FAREWELL_S = 0.5, 5.0

_SCHEMA = f"""
CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())});
CREATE INDEX {TABLE}_by_time ON {TABLE} (time_s);
"""
_INSERT = f"INSERT INTO {TABLE} ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_FORGET = f"DELETE FROM {TABLE} WHERE id <= (SELECT max(id) FROM {TABLE}) - ?"


class SqliteTable:
    """Writes the rows of estimates to a database until closed; a context manager. One that exists is continued.

    keep: rows at most; the oldest go, and their room is used again. tell: called with a sentence when a transaction
    fails after others did not; what it held is tried again. Attributes: written (estimates), error (of the newest
    transaction, None when it went well).
    Raises RecordingError when the file cannot be opened or is no such log.
    """

    def __init__(self, path: str | Path, keep: int, tell: Callable[[str], None] = lambda sentence: None) -> None:
        self.path, self._keep, self._tell = Path(path), keep, tell
        self.written = 0
        self.error: str | None = None
        self._database = _open(self.path)
        self._waiting: deque[list[list[Any]]] = deque()
        self._change, self._closed = threading.Condition(), False
        self._thread = threading.Thread(target=self._run, name="doamc-sqlite", daemon=True)
        self._thread.start()

    def write(self, message: dict[str, Any]) -> None:
        """Have the rows of an estimate written. Raises RecordingError when too many wait, or the log is closed."""
        rows = log_rows(message)
        if not rows:
            return
        with self._change:
            if self._closed:
                raise RecordingError(f"cannot write {self.path}: it is closed")
            if len(self._waiting) >= WAITING:
                raise RecordingError(f"cannot write {self.path}: {WAITING} estimates wait, {self.error}")
            self._waiting.append(rows)
            self._change.notify()

    def close(self) -> None:
        """Write what waits and close the file; again is harmless. Raises RecordingError when estimates were lost."""
        with self._change:
            if self._closed:
                return
            self._closed = True
            self._change.notify()
        self._thread.join(_FAREWELL_S)
        with self._change:
            lost = len(self._waiting)
        if lost:
            raise RecordingError(f"cannot write {self.path}: {lost} estimates lost, {self.error or 'no time left'}")

    def __enter__(self) -> "SqliteTable":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _run(self) -> None:
        closed = False
        while not closed:
            with self._change:
                self._change.wait_for(lambda: self._waiting or self._closed)
                self._change.wait_for(lambda: self._closed, PERIOD_S)  # what comes meanwhile goes with it
                held, closed = list(self._waiting), self._closed
            if held and self._commit([row for rows in held for row in rows]):
                self.written += len(held)
                with self._change:
                    for _ in held:
                        self._waiting.popleft()
        with suppress(sqlite3.Error):  # somebody reads: the next who opens it will do it
            self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.close()

    def _commit(self, rows: list[list[Any]]) -> bool:
        """Whether the rows are in the database, all of them; else none is."""
        try:
            with self._database:  # a transaction
                self._database.executemany(_INSERT, rows)
                self._database.execute(_FORGET, (self._keep,))
        except Exception as error:  # a full disk, a lock, and whatever a driver does with values of others
            if self.error is None:
                self._tell(f"{self.path}: {reason(error)}; what cannot be written waits")
            self.error = reason(error)
            return False
        self.error = None
        return True


def _open(path: Path) -> sqlite3.Connection:
    """A database with the table, made where there is none. Raises RecordingError when it cannot be, or is another."""
    check_output(path)
    try:
        database = sqlite3.connect(path, timeout=_PATIENCE_S, check_same_thread=False)
        try:
            _prepare(database, path)
        except BaseException:
            database.close()
            raise
    except (sqlite3.Error, UnicodeError) as error:  # a damaged schema makes no text
        raise RecordingError(f"cannot write {path}: {reason(error)}") from error
    return database


def _prepare(database: sqlite3.Connection, path: Path) -> None:
    application, version, tables = (
        database.execute(question).fetchone()[0]
        for question in ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    )
    if not (application or version or tables):
        about = f"PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}"
        database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {about}; COMMIT")
    elif (application, version) != (APPLICATION, VERSION):
        found = f"version {version}" if application == APPLICATION else "a database of another kind"
        raise RecordingError(f"expected a log of version {VERSION}, found {found} in {path}; name another file")
    there = {row[1] for row in database.execute(f"PRAGMA table_info({TABLE})")}
    for name, kind in COLUMNS.items():
        if name not in there:  # a log that was begun before there was this column
            database.execute(f"ALTER TABLE {TABLE} ADD COLUMN {name} {kind}")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")

"""Log of estimates that a spreadsheet opens: comma-separated values, a header line, one row a source."""

import csv
import io
import os
from pathlib import Path
from typing import Any

from doamc.errors import RecordingError
from doamc.estimates.log_rows import COLUMNS, log_rows, spreadsheet_text
from doamc.files.atomic import check_output
from doamc.files.line_file import LineFile
from doamc.files.lock import Lock
from doamc.text import shown

HEADER = (",".join(COLUMNS) + "\n").encode()
_OLDER = -2  #: rows of a log that was begun before there were all of these columns
#: bytes read at once to count the rows of a file
_BLOCK = 1 << 20


class CsvTable:
    """Appends the rows of estimates to a file, in one write an estimate; a context manager.

    keep: rows on disk at most. When half as many are in the file, it becomes ``FILE.1`` in the place of an older one,
    and a new file is begun. One that exists is continued, and put aside the same way where it has fewer columns; a last
    line without an end, of a program that was killed, is cut off. Attribute rows: in the file.
    Raises RecordingError when the file cannot be written, is another table, or is being written by somebody else.
    """

    def __init__(self, path: str | Path, keep: int) -> None:
        self.path, self._most = Path(path), max(1, keep // 2)
        check_output(self.path)  # no device: the file is put aside some time
        self._lock = Lock(self.path)
        try:
            self._file = self._open()
        except BaseException:
            self._lock.release()
            raise

    def write(self, message: dict[str, Any]) -> None:
        """Append the rows of an estimate. Raises RecordingError when they cannot be written whole (disk full)."""
        rows = log_rows(message)
        if not rows:
            return
        if self.rows >= self._most:
            self._turn()
        text = io.StringIO()
        texts = ([spreadsheet_text(v) if isinstance(v, str) else v for v in row] for row in rows)
        csv.writer(text, lineterminator="\n").writerows(texts)
        self._file.append(text.getvalue().encode())
        self.rows += len(rows)

    def close(self) -> None:
        """Close the file; again is harmless."""
        self._file.close()
        self._lock.release()

    def __enter__(self) -> "CsvTable":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> LineFile:
        """The file, with its header, and `rows`."""
        rows = _count(self.path)  # before anything is cut off a file that may be somebody else's
        if rows == _OLDER:
            os.replace(self.path, f"{self.path}.1")
        file = LineFile(self.path, whole=True)
        try:
            if rows < 0:
                file.append(HEADER)
        except BaseException:
            file.close()
            raise
        self.rows = max(0, rows)
        return file

    def _turn(self) -> None:
        """Put the file aside and begin another."""
        self._file.close()
        try:
            os.replace(self.path, f"{self.path}.1")
        except OSError as error:
            raise RecordingError(f"cannot put {self.path} aside: {error.strerror}") from error
        finally:
            self._file = self._open()


def _count(path: Path) -> int:
    """Rows of a file beside its header; -1 without a header, `_OLDER` where that has fewer columns.

    Raises RecordingError when it is another table.
    """
    try:
        with open(path, "rb") as file:
            header = file.readline(len(HEADER) + 1)
            if header == HEADER:
                return sum(block.count(b"\n") for block in iter(lambda: file.read(_BLOCK), b""))
    except FileNotFoundError:
        return -1
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error
    if header.endswith(b"\n") and HEADER.startswith(header[:-1] + b","):
        return _OLDER
    if not HEADER.startswith(header):  # not one that was cut off, either
        found = shown(header[:40].decode(errors="replace").rstrip())
        raise RecordingError(
            f"expected a log that begins with {HEADER[:22].decode()}, found {found} in {path}; name another file"
        )
    return -1

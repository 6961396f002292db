"""Text files that grow by whole lines."""

import os
from pathlib import Path

from doamc.errors import RecordingError
from doamc.files.atomic import check_named

#: bytes read at once when the end of a line is looked for
_BLOCK = 1 << 16


class LineFile:
    """Appends lines to a file; a context manager.

    What is written at once goes out in one write to a file opened for appending, so that a reader, or a crash, never
    meets a line made of two. A torn last line that an earlier crash or a full disk left is closed first; whole: it is
    cut off, where half a line could be taken for a whole one.
    Raises RecordingError when the file cannot be opened, or its name is an ending alone.
    """

    def __init__(self, path: str | Path, whole: bool = False) -> None:
        check_named(path)
        self.path, self._whole = Path(path), whole
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
            self._cut()
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from error

    def append(self, lines: bytes) -> None:
        """Append one or more lines, each with its end. Raises RecordingError unless all is written (disk full)."""
        try:
            self._cut()
            data = b"\n" * self._torn + lines
            count = os.write(self._file, data)
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from error
        self._torn = count < len(data)
        if self._torn:
            raise RecordingError(f"cannot write {self.path}: {count} of {len(data)} bytes written, disk full?")

    def close(self) -> None:
        """Close the file; again is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _cut(self) -> None:
        """Take a torn last line off, where that is wanted."""
        if not (self._torn and self._whole):
            return
        end = os.fstat(self._file).st_size
        last = -1
        while last < 0 < end:
            start = max(0, end - _BLOCK)
            last = os.pread(self._file, end - start, start).rfind(b"\n")
            end = start
        os.ftruncate(self._file, end + last + 1)
        self._torn = False

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

"""Text files that grow by whole lines."""

import os
from pathlib import Path

from doamc.errors import RecordingError


class LineFile:
    """Appends lines to a file; a context manager.

    What is written at once goes out in one write to a file opened for appending, so that a reader, or a crash, never
    meets a line made of two. A torn last line that an earlier crash or a full disk left is closed first.
    Raises RecordingError when the file cannot be opened.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from error

    def append(self, lines: bytes) -> None:
        """Append one or more lines, each with its end. Raises RecordingError unless all is written (disk full)."""
        data = b"\n" * self._torn + lines
        try:
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

    def __enter__(self) -> "LineFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

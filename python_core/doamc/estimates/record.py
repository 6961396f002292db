"""JSON-lines log of messages: one message a line, whole lines only."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from doamc.errors import PublishError, RecordingError
from doamc.estimates.border import MAX_MESSAGE_BYTES, decode
from doamc.estimates.message import encode


class Recorder:
    """Appends messages to a JSON-lines file; a context manager.

    Every line goes out in one write to a file opened for appending, so that a reader, or a crash, never meets a line
    made of two. A torn last line that an earlier crash or a full disk left is closed first.
    Raises RecordingError when the file cannot be opened or written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            size = os.fstat(self._file).st_size
            self._torn = size > 0 and os.pread(self._file, 1, size - 1) != b"\n"
        except OSError as error:
            raise RecordingError(f"cannot record to {self.path}: {error.strerror}") from error
        self.written = 0

    def write(self, message: dict[str, Any]) -> None:
        """Append one message. Raises RecordingError when it cannot be written whole (disk full)."""
        line = b"\n" * self._torn + encode(message) + b"\n"
        try:
            count = os.write(self._file, line)
        except OSError as error:
            raise RecordingError(f"cannot record to {self.path}: {error.strerror}") from error
        self._torn = count < len(line)
        if self._torn:
            raise RecordingError(f"cannot record to {self.path}: {count} of {len(line)} bytes written, disk full?")
        self.written += 1

    def close(self) -> None:
        """Close the file; again is harmless."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def read_records(path: str | Path) -> Iterator[dict[str, Any]]:
    """Messages of a JSON-lines file, in order; lines that are no message (torn ones, or too long) are skipped.

    They are bounded as `decode` says, but not held against their schema. Raises RecordingError when the file cannot be
    read.
    """
    try:
        with open(path, "rb") as file:
            whole = True
            while line := file.readline(MAX_MESSAGE_BYTES + 1):
                begins, whole = whole, line.endswith(b"\n")
                if not begins:  # the rest of a line that is too long
                    continue
                try:
                    yield decode(line.strip())
                except PublishError:
                    continue
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error

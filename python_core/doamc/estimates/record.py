"""JSON-lines log of messages: one message a line, whole lines only."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from doamc.errors import PublishError, RecordingError
from doamc.estimates.border import MAX_MESSAGE_BYTES, decode
from doamc.estimates.message import encode
from doamc.files.line_file import LineFile
from doamc.files.remote import open_lines

ENDLESS = 1 << 27  #: bytes without the end of a line, after which a file counts as no log


class Recorder(LineFile):
    """Appends messages to a JSON-lines file; a context manager. Raises RecordingError as `LineFile` does."""

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.written = 0

    def write(self, message: dict[str, Any]) -> None:
        """Append one message. Raises RecordingError when it cannot be written whole (disk full)."""
        self.append(encode(message) + b"\n")
        self.written += 1

    def __enter__(self) -> "Recorder":
        return self


def read_records(path: str | Path, refused: Callable[[PublishError], None] | None = None) -> Iterator[dict[str, Any]]:
    """Messages of a JSON-lines file, in order; lines that are no message (torn ones, or too long) are skipped.

    They are bounded as `decode` says, but not held against their schema. refused: called for each line that is skipped,
    but for a last one without its end, which somebody may still be writing. Raises RecordingError when the file cannot
    be read or has no lines.
    """
    try:
        with open_lines(path) as file:
            whole, endless = True, 0
            while line := file.readline(MAX_MESSAGE_BYTES + 1):
                begins, whole = whole, line.endswith(b"\n")
                endless = 0 if whole else endless + len(line)
                if endless > ENDLESS:
                    raise RecordingError(f"expected lines of JSON in {path}, found none that ends")
                if not begins:  # the rest of a line that is too long
                    continue
                try:
                    message = decode(line.strip())
                except PublishError as error:
                    if refused is not None and line.strip() and (whole or len(line) > MAX_MESSAGE_BYTES):
                        refused(error)
                    continue
                yield message
    except OSError as error:
        raise RecordingError(f"cannot read {path}: {error.strerror}") from error

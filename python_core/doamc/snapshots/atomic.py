"""Output files that appear whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from doamc.errors import RecordingError

LONGEST = 230  #: bytes of a file's name, so that the temporary one beside it has a name, too


@contextmanager
def whole_file(path: str | Path) -> Iterator[IO[bytes]]:
    """Open a temporary file beside `path`, renamed to it when the block ends and deleted when it raises.

    Raises RecordingError when the folder is missing or cannot be written, or the disk is full.
    """
    path = Path(os.path.realpath(path))
    check_output(path)
    name = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())  # mkstemp makes it private
        os.replace(name, path)
        name = None
    except OSError as error:
        raise RecordingError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if name is not None:
            with suppress(OSError):
                os.unlink(name)


def check_output(path: str | Path) -> None:
    """Raise RecordingError unless a file can be made at `path`: asked before long work, not after it."""
    path = Path(path)
    if os.path.exists(path) and not os.path.isfile(path):  # Path's own raise where a folder may not be entered
        raise RecordingError(f"cannot write {path}: expected a plain file, found a folder or a device")
    if not os.path.isdir(path.parent):
        raise RecordingError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if len(os.fsencode(path.name)) > LONGEST:
        raise RecordingError(f"cannot write {path}: expected a name of at most {LONGEST} bytes")
    if not os.access(path.parent, os.W_OK):
        raise RecordingError(f"cannot write {path}: no permission in folder {path.parent}")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""One writer for each output: a lock that ends with the process that holds it."""

import os
from contextlib import suppress
from pathlib import Path

from doamc.errors import RecordingError


class Lock:
    """Keeps an output for this process until it is released; a context manager.

    It is a lock of the kernel on a hidden file beside the output, so that a process that was killed, or a machine that
    lost its power, leaves none behind. Where the system or the disk has no such locks, nothing is locked.
    Raises RecordingError when somebody else, in this process or another, holds it.
    """

    def __init__(self, path: str | Path) -> None:
        path = Path(os.path.realpath(path))
        self._path = path.with_name(f".{path.name}.lock")
        self._file = -1
        try:
            while not self._take():
                pass
        except BlockingIOError as error:
            raise RecordingError(f"cannot write {path}: somebody else is writing it; wait, or name another") from error
        except OSError as error:
            raise RecordingError(f"cannot write {path}: {error.strerror}") from error

    def release(self) -> None:
        """Let others have it; again is harmless."""
        if self._file >= 0:
            with suppress(OSError):
                self._path.unlink()  # while it is still ours
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *exception: object) -> None:
        self.release()

    def _take(self) -> bool:
        """Lock the file; False when its last holder removed it before it was locked, so that another may be there."""
        try:
            import fcntl
        except ImportError:  # not a POSIX system
            return True
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            self._file = -1
            raise
        except OSError:  # locks are not known here, as on some network drives
            return True
        try:
            if os.path.samestat(os.stat(self._path), os.fstat(self._file)):
                return True
        except FileNotFoundError:
            pass
        os.close(self._file)
        self._file = -1
        return False

"""A home folder for programs and libraries that do not run without one.

A service often has none: HOME is unset, not there or not writable, and its user not in the system's list.
"""

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def can_hold(folder: str | Path) -> bool:
    """Whether this user can write into a folder, or make it (and those above it)."""
    path = os.path.abspath(os.path.expanduser(folder))
    if str(folder).startswith("~") and path == os.path.abspath(folder):
        return False  # nobody knows where the home is
    while not os.path.lexists(path):
        path = os.path.dirname(path)
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)


@contextmanager
def temporary_folder() -> Iterator[str]:
    """A folder of this process's own, removed at the end; in memory where the disk is read-only.

    Raises OSError when there is none at all.
    """
    try:
        kept = tempfile.TemporaryDirectory(prefix="doamc-")
    except OSError:  # no TMPDIR, /tmp, /var/tmp and working folder to write to
        kept = tempfile.TemporaryDirectory(prefix="doamc-", dir="/dev/shm")
    with kept as folder:
        yield folder


def settle_matplotlib() -> None:
    """Give matplotlib a folder for its cache where the home has no room for one: else it warns at length, or fails."""
    homes = [os.environ.get(name) or default for name, default in _MATPLOTLIB]
    if os.environ.get("MPLCONFIGDIR") or all(can_hold(os.path.join(home, "matplotlib")) for home in homes):
        return
    with suppress(OSError):
        folder = temporary_folder()
        os.environ["MPLCONFIGDIR"] = folder.__enter__()
        atexit.register(folder.__exit__, None, None, None)


_MATPLOTLIB = (("XDG_CONFIG_HOME", "~/.config"), ("XDG_CACHE_HOME", "~/.cache"))

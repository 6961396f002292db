"""Child processes that do not outlive the block they were started for, however that is left."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from doamc.signals import uninterrupted


@contextmanager
def child(command: list[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A child process, ended when the block is left. options: as `subprocess.Popen` takes them."""
    process = None
    try:
        with uninterrupted():  # a signal between start and assignment would leave a child that nobody knows of
            process = subprocess.Popen(command, **options)
        yield process
    finally:
        if process is not None:
            end(process)


def end(process: "subprocess.Popen[Any]", patience_s: float = 10.0) -> None:
    """End a child that still runs, politely first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

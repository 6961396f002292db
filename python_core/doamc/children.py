"""Child processes that do not outlive the block they were started for, however that is left."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

#: what ends a program, as far as the system has it
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def child(command: list[str], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """A child process, ended when the block is left. options: as `subprocess.Popen` takes them."""
    process = None
    try:
        with _held_back():  # a signal between start and assignment would leave a child that nobody knows of
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


@contextmanager
def _held_back() -> Iterator[None]:
    """What would end the program comes when the block is left."""
    came: list[int] = []
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)

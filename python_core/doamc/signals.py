"""Signals that end a program, where raising an exception at once would leave something half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: what ends a program, as far as the system has it
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def uninterrupted(tell: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the block ends; outside of the main thread they do not come anyway.

    They are sent once more after it: where the first is obeyed by an exception, the others are dropped. tell: called
    within the block when one comes, between two steps of Python.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def hold(number: int, _: object) -> None:
        came.append(number)
        if tell is not None:
            tell()

    usual = {number: signal.getsignal(number) for number in ENDING}
    held = [number for number, handler in usual.items() if handler not in (signal.SIG_IGN, None)]  # None: not Python's
    for number in held:
        signal.signal(number, hold)
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, usual[number])
        for number in came:
            signal.raise_signal(number)

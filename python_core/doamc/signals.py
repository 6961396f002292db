"""Signals that end a program, where raising an exception at once would leave something half done."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType

#: what ends a program, as far as the system has it
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


#: of Python's own import system, and how long an import is waited for before it is looked at again, s
_IMPORT, _AGAIN_S = "<frozen importlib._bootstrap>", 0.05


def put_off(number: int, frame: FrameType | None, within: CodeType) -> bool:
    """Whether a signal has met an import, and is sent once more a little later.

    What is raised within one may be swallowed, by torch as it looks for NumPy, with half of a module left, or end the
    process where it meets C++. frame: where it came. within: of the function outside of which nobody looks.
    """
    while frame is not None and frame.f_code is not within:
        if frame.f_code.co_filename == _IMPORT:
            _send_again(number)
            return True
        frame = frame.f_back
    return False


def _send_again(number: int) -> None:
    thread = threading.main_thread().ident  # in which it ends a call that waits
    if thread is None:
        raise AssertionError("expected a main thread that runs")
    again = threading.Timer(_AGAIN_S, signal.pthread_kill, (thread, number))
    again.daemon = True
    again.start()


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

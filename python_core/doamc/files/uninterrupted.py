"""Steps that a signal may not part: what asks the program to end waits until they are done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back SIGINT, SIGTERM and SIGHUP until the block ends; outside of the main thread they do not come anyway.

    Of several that come in the block, the last one is obeyed after it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    usual = {number: signal.getsignal(number) for number in _ENDING}
    held = [number for number, handler in usual.items() if callable(handler)]  # others end the program or do nothing
    for number in held:
        signal.signal(number, lambda *event: came.append(event))
    try:
        yield
    finally:
        for number in held:
            signal.signal(number, usual[number])
        if came:
            handler = usual[came[-1][0]]
            assert callable(handler)
            handler(*came[-1])

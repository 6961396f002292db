"""Threads of blocks that work with torch, which end before the interpreter does.

Python ends a daemon by unwinding its stack as soon as it asks for the interpreter's lock. Within torch nothing may be
unwound: the process aborts, with exit status 134. A thread that is not a daemon is waited for without a limit.
"""

import atexit
import threading
import time
from collections.abc import Callable
from weakref import WeakSet

LIMIT_S = 30.0  #: that all of them together get at the end of the program

_started: WeakSet["EndingThread"] = WeakSet()


class EndingThread(threading.Thread):
    """A daemon that is told to end, and waited for, before the interpreter ends.

    end: tells it, for any thread; it may be called at any time, and more than once.
    """

    def __init__(self, target: Callable[[], None], name: str, end: Callable[[], None]) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self.end = end

    def start(self) -> None:
        """Start it."""
        _started.add(self)
        super().start()


@atexit.register
def end_all() -> None:
    """End those that are still running."""
    running = [t for t in _started if t.is_alive()]
    for thread in running:
        thread.end()
    limit = time.monotonic() + LIMIT_S
    for thread in running:
        thread.join(max(0.0, limit - time.monotonic()))

"""The time that a block gets, once its stream has ended, for what still waits in it."""

import threading
from collections.abc import Callable


class DrainTimer:
    """Calls `give_up` so many seconds after `begin`, unless it is cancelled before."""

    def __init__(self, timeout_s: float, give_up: Callable[[], None]) -> None:
        self._timeout_s, self._give_up = timeout_s, give_up
        self._timer: threading.Timer | None = None

    def begin(self) -> bool:
        """Have the time run; whether it did not yet."""
        if self._timer is not None:
            return False
        self._timer = threading.Timer(self._timeout_s, self._give_up)
        self._timer.daemon = True
        self._timer.start()
        return True

    def cancel(self) -> None:
        """Give up no more; again is harmless."""
        if self._timer is not None:
            self._timer.cancel()

    def forget(self) -> None:
        """Be ready for another run."""
        self._timer = None

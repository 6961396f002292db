"""The signals of a band as every view shows them: those that are there, and those that have just ended."""

import time
from collections.abc import Callable
from typing import Any

#: how long a signal that has ended is still shown, and one of which nothing came, s
SHOWN_S, SILENT_S = 3.0, 10.0
MOST = 1024  #: signals kept at most


class Band:
    """Fed messages of ``doamc.signal/1``; keeps the newest of each signal. clock: monotonic time in s."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: dict[int, tuple[float, dict[str, Any]]] = {}
        self.heard = 0

    def take(self, message: dict[str, Any]) -> None:
        """Take in a message of a signal."""
        self.heard += 1
        self._newest.pop(message["id"], None)
        self._newest[message["id"]] = self._clock(), message
        if len(self._newest) > MOST:
            del self._newest[next(iter(self._newest))]

    def signals(self) -> list[dict[str, Any]]:
        """Their newest messages, by frequency."""
        now = self._clock()
        self._newest = {
            k: (t, m) for k, (t, m) in self._newest.items() if now - t < (SHOWN_S if m.get("ended", True) else SILENT_S)
        }
        return sorted((m for _, m in self._newest.values()), key=lambda m: (m["frequency_hz"], m["id"]))

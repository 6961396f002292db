"""The last minute of a receiver: bounded in time, in number and in bytes."""

import threading
from collections import deque
from typing import Any, NamedTuple

SPAN_S = 60.0
RATE_WINDOW_S = 5.0
MAX_ESTIMATES = 3000
MAX_BYTES = 32 << 20


class PastEstimate(NamedTuple):
    """One estimate: Unix time of arrival, its view for the page, and the message itself as JSON."""

    received: float
    view: dict[str, Any]
    data: bytes


class History:
    """What came in the last `SPAN_S` seconds; any thread.

    At most `MAX_ESTIMATES` estimates and `MAX_BYTES` of JSON are kept; the oldest go first.
    """

    def __init__(self) -> None:
        self._kept: deque[PastEstimate] = deque()
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, received: float, view: dict[str, Any], data: bytes) -> None:
        """Keep an estimate, and let go of what is too old or too much."""
        with self._lock:
            self._kept.append(PastEstimate(received, view, data))
            self._bytes += len(data)
            self._trim(received)

    def last(self, now: float) -> list[PastEstimate]:
        """Estimates that came within `SPAN_S` seconds before `now`, oldest first."""
        with self._lock:
            self._trim(now)
            return list(self._kept)

    def rate_hz(self, now: float) -> float:
        """Estimates a second over the last `RATE_WINDOW_S` seconds, by their number."""
        with self._lock:
            count = 0
            for kept in reversed(self._kept):
                if kept.received < now - RATE_WINDOW_S:
                    return count / RATE_WINDOW_S
                count += 1
            span = now - self._kept[0].received if self._kept else 0.0
        return count / max(span, 1.0)  # younger than the window

    def _trim(self, now: float) -> None:
        while self._kept and (
            self._kept[0].received < now - SPAN_S or len(self._kept) > MAX_ESTIMATES or self._bytes > MAX_BYTES
        ):
            self._bytes -= len(self._kept.popleft().data)

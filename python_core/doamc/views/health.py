"""How a stream of estimates is doing: rate, latency by stage, age, state, what was lost."""

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from doamc.protocol import ESTIMATE_TOPIC, STATUS_TOPIC

STAGES = ("buffer", "inference", "total")
#: an estimate older than this says nothing about now, s
SILENT_S = 3.0


class Health:
    """Fed every message with its topic; keeps the newest `window_s` seconds of at most `most` estimates.

    What counts for being alive is the newest estimate: heartbeats go on when a receiver is dead. clock: monotonic time
    in s.
    """

    def __init__(self, window_s: float = 5.0, most: int = 1000, clock: Callable[[], float] = time.monotonic) -> None:
        self._window, self._clock = window_s, clock
        self._recent: deque[tuple[float, dict[str, float]]] = deque(maxlen=most)
        self._newest: float | None = None
        self._beat = -math.inf
        self.received = 0
        self.dropped = 0
        self.status: dict[str, Any] = {}

    def take(self, topic: str, message: dict[str, Any]) -> None:
        """Take in an estimate or a status; others change nothing."""
        if topic == STATUS_TOPIC:
            self._beat = self._clock()
            self.status = message
        elif topic == ESTIMATE_TOPIC:
            self._newest = self._clock()
            told = message.get("latency_ms") or {}
            latency = {k: math.nan if told.get(k) is None else float(told[k]) for k in STAGES}
            self._recent.append((self._newest, latency))
            self.received += 1
            self.dropped = int(message.get("dropped_batches") or 0)

    def rate_hz(self) -> float:
        """Estimates a second over the window; 0 when fewer than two fell into it."""
        times = [t for t, _ in self._kept()]
        return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0

    def latency_ms(self, stage: str, percentile: float = 50.0) -> float:
        """A percentile of the latency of a stage over the window; NaN when it is not known."""
        values = [v for _, told in self._kept() if (v := told[stage]) == v]
        return float(np.percentile(values, percentile)) if values else math.nan

    def state(self) -> str:
        """``waiting`` before the first estimate, ``silent`` when none came for `SILENT_S`, else what the status says.

        Before the first one, too, a heartbeat that tells of an error or of the end is believed.
        """
        if self._newest is None:
            told = self.status.get("state") if self.heartbeat else None
            return str(told) if told in ("error", "stopped") else "waiting"
        return "silent" if self.age_s() > SILENT_S else str(self.status.get("state", "running"))

    @property
    def heartbeat(self) -> bool:
        """Whether a status has come within `SILENT_S`."""
        return self._clock() - self._beat <= SILENT_S

    def publisher(self) -> str:
        """What the heartbeats say, in words: the publisher's state, and the link of its source where that is told."""
        if not self.heartbeat:
            return "no heartbeat"
        link = self.status.get("link")
        return f"publisher {self.status.get('state')}" + (f", link {link}" if link else "")

    def age_s(self) -> float:
        """Time since the newest estimate; NaN before the first."""
        return math.nan if self._newest is None else self._clock() - self._newest

    def _kept(self) -> list[tuple[float, dict[str, float]]]:
        since = self._clock() - self._window
        return [item for item in self._recent if item[0] >= since]

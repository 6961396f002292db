"""One receiver's messages: a thread that reads them, and what the server takes from it."""

from collections import deque
from typing import Any

from doamc.dashboard.history import History
from doamc.dashboard.receiver_feed import ReceiverFeed, status_view
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.dashboard.view import coupling_view, estimate_view
from doamc.estimates.message import encode
from doamc.protocol import ESTIMATE_TOPIC, STATUS_TOPIC

#: estimates that wait for the server's next frame; beyond, the oldest are counted and not shown
MAX_WAITING = 40


class Feed(ReceiverFeed):
    """Reads one receiver until closed. A malformed message is counted and its fault told, nothing else.

    The thread keeps the last minute, writes the recording, and leaves at most `MAX_WAITING` views for `take`.
    """

    def __init__(self, receiver: Receiver, recording: SwitchedRecorder) -> None:
        super().__init__(receiver, (ESTIMATE_TOPIC, STATUS_TOPIC), "doamc-dashboard")
        self.history = History()
        self._recording = recording
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._newest_coupling: dict[str, Any] | None = None
        self._coupling_is_new = False
        self._start: dict[str, Any] | None = None
        self._latest: dict[str, Any] | None = None

    def take(self) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Views since the last call, oldest first, and the newest coupling matrix among them, if any."""
        with self._lock:
            views, coupling = list(self._waiting), self._newest_coupling if self._coupling_is_new else None
            self._waiting.clear()
            self._coupling_is_new = False
        return views, coupling

    @property
    def latest(self) -> dict[str, Any] | None:
        """View of the newest estimate."""
        return self._latest

    @property
    def couplings(self) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
        """The newest coupling matrix, and the first of its size: what changes are counted from."""
        return self._newest_coupling, self._start

    def health(self, now: float) -> dict[str, Any]:
        """Counts and state for the health strip; times in s, None where nothing has come yet."""
        latest, subscriber = self._latest, self._subscriber
        return {
            "rate_hz": self.history.rate_hz(now),
            "age_s": None if latest is None else max(0.0, now - latest["received"]),
            "received": subscriber.received,
            "lost": subscriber.lost,
            "restarts": subscriber.restarts,
            "disconnected": subscriber.disconnected,
        } | self.troubles()

    def on_message(self, topic: str, message: dict[str, Any], now: float) -> None:
        """Take in an estimate or a heartbeat."""
        if topic != ESTIMATE_TOPIC:
            self._status = status_view(message, now)
            return
        view, coupling = estimate_view(message, now, self.receiver.heading_deg), coupling_view(message)
        self.history.add(now, view, encode(message))
        self._recording.write(self.receiver.name, message)
        with self._lock:
            self._unseen += len(self._waiting) == MAX_WAITING
            self._waiting.append(view)
            self._latest = view
            self._newest_coupling, self._coupling_is_new = coupling, coupling is not None
            if coupling is not None:
                if self._start is None or len(self._start["re"]) != len(coupling["re"]):
                    self._start = coupling

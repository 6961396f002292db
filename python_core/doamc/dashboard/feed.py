"""One receiver's messages: a thread that reads them, and what the server takes from it."""

import threading
import time
from collections import deque
from typing import Any

from doamc.dashboard.history import History
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.dashboard.view import coupling_view, estimate_view
from doamc.estimates.message import encode
from doamc.estimates.subscriber import Subscriber
from doamc.protocol import ESTIMATE_TOPIC
from doamc.text import printable

#: estimates that wait for the server's next frame; beyond, the oldest are counted and not shown
MAX_WAITING = 40
_POLL_S = 0.1
_MAX_TEXT = 300


class Feed:
    """Reads one receiver until closed. A malformed message is counted and its fault told, nothing else.

    The thread keeps the last minute, writes the recording, and leaves at most `MAX_WAITING` views for `take`.
    """

    def __init__(self, receiver: Receiver, recording: SwitchedRecorder) -> None:
        self.receiver = receiver
        self.history = History()
        self._recording = recording
        self._lock = threading.Lock()
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._newest_coupling: dict[str, Any] | None = None
        self._coupling_is_new = False
        self._start: dict[str, Any] | None = None
        self._latest: dict[str, Any] | None = None
        self._status: dict[str, Any] = {}
        self._failed = self._unseen = 0
        self._failure: str | None = None
        # raises PublishError here, not in the thread
        self._subscriber = Subscriber(receiver.connect, server_key=receiver.server_key, keys=receiver.keys)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"doamc-dashboard-{receiver.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; again is harmless."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self._subscriber.close()

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
            "malformed": subscriber.malformed + self._failed,
            "disconnected": subscriber.disconnected,
            "refused": subscriber.refused,
            "unseen": self._unseen,
            "fault": self._failure or subscriber.fault,
            "status": self._status,
        }

    def _read(self) -> None:
        while not self._end.is_set():
            try:
                item = self._subscriber.receive(_POLL_S)
                if item is None:
                    continue
                topic, message = item
                if topic == ESTIMATE_TOPIC:
                    self._on_estimate(message, encode(message), time.time())
                else:
                    self._status = status_view(message, time.time())
            except Exception as error:  # the border lets in nothing that fails here; if it did, the thread reads on
                self._failed += 1
                self._failure = printable(f"{type(error).__name__}: {error}", _MAX_TEXT)
                self._end.wait(_POLL_S)

    def _on_estimate(self, message: dict[str, Any], data: bytes, now: float) -> None:
        view, coupling = estimate_view(message, now, self.receiver.heading_deg), coupling_view(message)
        self.history.add(now, view, data)
        self._recording.write(self.receiver.name, message)
        with self._lock:
            self._unseen += len(self._waiting) == MAX_WAITING
            self._waiting.append(view)
            self._latest = view
            self._newest_coupling, self._coupling_is_new = coupling, coupling is not None
            if coupling is not None:
                if self._start is None or len(self._start["re"]) != len(coupling["re"]):
                    self._start = coupling


def status_view(message: dict[str, Any], now: float) -> dict[str, Any]:
    """Heartbeat as the page shows it."""
    told = {k: message.get(k) for k in ("state", "link", "sync_state", "last_error")}
    return {"received": now, **{k: printable(str(v), _MAX_TEXT) for k, v in told.items() if v}}

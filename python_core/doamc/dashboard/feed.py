"""One receiver's messages: a thread that reads them, and what the server takes from it."""

import threading
import time
from collections import deque
from typing import Any

from doamc.dashboard.history import History
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.recording import Recording
from doamc.dashboard.view import coupling_view, estimate_view
from doamc.errors import PublishError
from doamc.estimates.message import ESTIMATE_TOPIC, STATUS_SCHEMA, decode, encode, validate
from doamc.estimates.subscriber import Subscriber

#: estimates that wait for the server's next frame; in a flood the oldest are not shown, and counted
MAX_WAITING = 40
_POLL_S = 0.1
_MAX_TEXT = 300


class Feed:
    """Reads one receiver until closed. A malformed message is counted and its fault told, nothing else.

    The thread keeps the last minute, writes the recording, and leaves at most `MAX_WAITING` views for `take`.
    """

    def __init__(self, receiver: Receiver, recording: Recording) -> None:
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
        self._malformed = self._unseen = 0
        self._fault: str | None = None
        self._subscriber = Subscriber(receiver.connect)  # raises PublishError here, not in the thread
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
            "malformed": subscriber.malformed + self._malformed,
            "unseen": self._unseen,
            "fault": self._fault,
            "status": self._status,
        }

    def _read(self) -> None:
        while not self._end.is_set():
            item = self._subscriber.receive(_POLL_S)
            if item is None:
                continue
            topic, message = item
            try:
                data = encode(message)  # 1e999 is JSON and reads as an infinity; here it becomes null
                if topic == ESTIMATE_TOPIC:
                    self._on_estimate(decode(data), data, time.time())
                else:
                    self._status = _status_view(decode(data), time.time())
            except Exception as error:  # whatever a sender thinks of: the thread reads on
                self._malformed += 1
                told = str(error) if isinstance(error, PublishError) else f"{type(error).__name__}: {error}"
                self._fault = told[:_MAX_TEXT]

    def _on_estimate(self, message: dict[str, Any], data: bytes, now: float) -> None:
        view, coupling = estimate_view(message, now), coupling_view(message)
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


def _status_view(message: dict[str, Any], now: float) -> dict[str, Any]:
    """Heartbeat as the page shows it. Raises PublishError when it is none."""
    validate(message)
    if message["schema"] != STATUS_SCHEMA:
        raise PublishError(f"expected a message of {STATUS_SCHEMA}, found {message['schema']}")
    texts = {k: str(message[k])[:_MAX_TEXT] for k in ("state", "link", "sync_state", "last_error") if message.get(k)}
    return {"received": now, **texts}

"""What the feeds of all pages share: a thread that reads one receiver, and what it tells of faults."""

import threading
import time
from abc import ABC, abstractmethod
from typing import Any

from doamc.dashboard.receivers import Receiver
from doamc.estimates.subscriber import Subscriber
from doamc.text import printable

_POLL_S = 0.1
_MAX_TEXT = 300


class ReceiverFeed(ABC):
    """Reads one receiver until closed. A malformed message is counted and its fault told, nothing else.

    topics: those that are read. thread: name of the thread. Raises PublishError as `Subscriber` does.
    """

    def __init__(self, receiver: Receiver, topics: tuple[str, ...], thread: str) -> None:
        self.receiver = receiver
        self._lock = threading.Lock()
        self._status: dict[str, Any] = {}
        self._failed = self._unseen = 0
        self._failure: str | None = None
        # raises PublishError here, not in the thread
        self._subscriber = Subscriber(
            receiver.connect, topics=topics, server_key=receiver.server_key, keys=receiver.keys
        )
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"{thread}-{receiver.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; again is harmless."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self._subscriber.close()

    @abstractmethod
    def on_message(self, topic: str, message: dict[str, Any], now: float) -> None:
        """Take in a message that has passed the border; called by the thread. now: Unix time, s."""

    @abstractmethod
    def health(self, now: float) -> dict[str, Any]:
        """Counts and state for the health strip; now: Unix time, s."""

    def troubles(self) -> dict[str, Any]:
        """The part of the health that all pages show."""
        subscriber = self._subscriber
        return {
            "malformed": subscriber.malformed + self._failed,
            "refused": subscriber.refused,
            "unseen": self._unseen,
            "fault": self._failure or subscriber.fault,
            "status": self._status,
        }

    def _read(self) -> None:
        while not self._end.is_set():
            try:
                item = self._subscriber.receive(_POLL_S)
                if item is not None:
                    self.on_message(*item, time.time())
            except Exception as error:  # what the border lets in may still not be what it names; the thread reads on
                self._failed += 1
                self._failure = printable(f"{type(error).__name__}: {error}", _MAX_TEXT)
                self._end.wait(_POLL_S)


def status_view(message: dict[str, Any], now: float) -> dict[str, Any]:
    """Heartbeat as the page shows it."""
    told = {k: message.get(k) for k in ("state", "link", "sync_state", "last_error")}
    return {"received": now, **{k: printable(str(v), _MAX_TEXT) for k, v in told.items() if v}}


def rate_hz(times: list[float], now: float, span_s: float) -> float:
    """Messages a second, by their times of the last `span_s`; 0 where none has come."""
    return len(times) / max(1.0, min(span_s, now - times[0])) if times else 0.0

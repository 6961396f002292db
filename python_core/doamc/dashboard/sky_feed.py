"""One receiver's images of the sky: a thread that reads them, and what the page "Sky" takes from it."""

import threading
import time
from collections import deque
from typing import Any

from doamc.dashboard.feed import status_view
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_view import sky_view
from doamc.estimates.gaps import Gaps
from doamc.estimates.subscriber import Subscriber
from doamc.protocol import SKY_TOPIC, STATUS_TOPIC
from doamc.text import printable

#: imagers of a receiver that are told apart by their names; the one not heard of for longest makes room
MAX_NAMES = 8
_POLL_S, _RATE_S = 0.1, 10.0
_MAX_TEXT = 300


class SkyFeed:
    """Reads one receiver until closed; memory: the newest image of each of its imagers.

    An image that a newer one of its imager follows before the server's next frame is counted and not shown. A malformed
    message is counted and its fault told, nothing else.
    """

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self._lock = threading.Lock()
        self._newest: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, dict[str, Any]] = {}
        self._gaps: dict[str, Gaps] = {}
        self._times: deque[float] = deque(maxlen=100)
        self._status: dict[str, Any] = {}
        self._received = self._lost = self._failed = self._unseen = 0
        self._failure: str | None = None
        # raises PublishError here, not in the thread
        self._subscriber = Subscriber(
            receiver.connect, topics=(SKY_TOPIC, STATUS_TOPIC), server_key=receiver.server_key, keys=receiver.keys
        )
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read, name=f"doamc-dashboard-sky-{receiver.name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; again is harmless."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()
        self._subscriber.close()

    def take(self) -> list[dict[str, Any]]:
        """Newest image of every imager that has made one since the last call."""
        with self._lock:
            waiting, self._waiting = list(self._waiting.values()), {}
        return waiting

    def past(self) -> list[dict[str, Any]]:
        """Newest image of every imager, for a page that has just been opened."""
        with self._lock:
            return list(self._newest.values())

    def health(self, now: float) -> dict[str, Any]:
        """Counts and state; times in s."""
        subscriber = self._subscriber
        with self._lock:
            times = [t for t in self._times if t > now - _RATE_S]
        return {
            "rate_hz": len(times) / max(1.0, min(_RATE_S, now - times[0])) if times else 0.0,
            "received": self._received,
            "lost": self._lost,
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
                    self._on_message(*item, time.time())
            except Exception as error:  # what the border lets in may still not be an image; the thread reads on
                self._failed += 1
                self._failure = printable(f"{type(error).__name__}: {error}", _MAX_TEXT)
                self._end.wait(_POLL_S)

    def _on_message(self, topic: str, message: dict[str, Any], now: float) -> None:
        if topic != SKY_TOPIC:
            self._status = status_view(message, now)
            return
        view = sky_view(message, now)
        name = view["name"]
        with self._lock:
            gaps = self._gaps.setdefault(name, Gaps())
            before = gaps.lost
            gaps.take(view["seq"])
            self._lost += gaps.lost - before
            self._received += 1
            self._times.append(now)
            self._unseen += name in self._waiting
            self._waiting[name] = view
            self._newest.pop(name, None)
            self._newest[name] = view  # the last in order is the newest
            while len(self._newest) > MAX_NAMES:
                gone = next(iter(self._newest))
                for kept in (self._newest, self._waiting, self._gaps):
                    kept.pop(gone, None)

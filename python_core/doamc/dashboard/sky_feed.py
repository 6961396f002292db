"""One receiver's images of the sky: a thread that reads them, and what the page "Sky" takes from it."""

from collections import deque
from typing import Any

from doamc.dashboard.receiver_feed import ReceiverFeed, rate_hz, status_view
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_view import sky_view
from doamc.estimates.gaps import Gaps
from doamc.protocol import SKY_TOPIC, STATUS_TOPIC

#: imagers of a receiver that are told apart by their names; the one not heard of for longest makes room
MAX_NAMES = 8
_RATE_S = 10.0


class SkyFeed(ReceiverFeed):
    """Reads one receiver until closed; memory: the newest image of each of its imagers.

    An image that a newer one of its imager follows before the server's next frame is counted and not shown. A malformed
    message is counted and its fault told, nothing else.
    """

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(receiver, (SKY_TOPIC, STATUS_TOPIC), "doamc-dashboard-sky")
        self._newest: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, dict[str, Any]] = {}
        self._gaps: dict[str, Gaps] = {}
        self._times: deque[float] = deque(maxlen=100)
        self._received = self._lost = 0

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
        with self._lock:
            times = [t for t in self._times if t > now - _RATE_S]
        return {
            "rate_hz": rate_hz(times, now, _RATE_S),
            "received": self._received,
            "lost": self._lost,
        } | self.troubles()

    def on_message(self, topic: str, message: dict[str, Any], now: float) -> None:
        """Take in an image or a heartbeat."""
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

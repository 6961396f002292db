"""One receiver's signals and spectra: a thread that reads them, and what the page "Band" takes from it."""

from collections import deque
from typing import Any

from doamc.dashboard.band_view import signal_view, spectrum_view
from doamc.dashboard.receiver_feed import ReceiverFeed, rate_hz, status_view
from doamc.dashboard.receivers import Receiver
from doamc.estimates.gaps import Gaps
from doamc.protocol import SIGNAL_TOPIC, SPECTRUM_TOPIC, STATUS_TOPIC
from doamc.views.band import Band

#: spectra that wait for the server's next frame; beyond, the oldest are counted and not shown
MAX_WAITING = 40
#: spectra that a new page is given for its waterfall, and characters of all of them
MAX_PAST, MAX_PAST_TEXT = 600, 1 << 21
_RATE_S = 5.0


class BandFeed(ReceiverFeed):
    """Reads one receiver until closed. A malformed message is counted and its fault told, nothing else.

    Memory: the newest view of each signal (`Band`), and of spectra those that wait and those for new pages.
    """

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(receiver, (SIGNAL_TOPIC, SPECTRUM_TOPIC, STATUS_TOPIC), "doamc-dashboard-band")
        self._band = Band()
        self._changed: dict[int, dict[str, Any]] = {}
        self._waiting: deque[dict[str, Any]] = deque(maxlen=MAX_WAITING)
        self._past: deque[dict[str, Any]] = deque(maxlen=MAX_PAST)
        self._past_text = 0
        self._times: deque[float] = deque(maxlen=100)
        self._signals, self._spectra = Gaps(), Gaps()

    def take(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Newest views of the signals that were told since the last call, and spectra since then, oldest first."""
        with self._lock:
            signals, spectra = list(self._changed.values()), list(self._waiting)
            self._changed.clear()
            self._waiting.clear()
        return signals, spectra

    def past(self) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """For a page that has just been opened: all signals that are there, and the newest spectra."""
        with self._lock:
            return self._band.signals(), list(self._past)

    def health(self, now: float) -> dict[str, Any]:
        """Counts and state; times in s, None where nothing has come yet."""
        with self._lock:
            times = [t for t in self._times if t > now - _RATE_S]
        return {
            "rate_hz": rate_hz(times, now, _RATE_S),
            "signals": self._signals.received,
            "spectra": self._spectra.received,
            "lost": self._signals.lost + self._spectra.lost,
            "restarts": max(self._signals.restarts, self._spectra.restarts),
        } | self.troubles()

    def on_message(self, topic: str, message: dict[str, Any], now: float) -> None:
        """Take in a signal, a spectrum or a heartbeat."""
        if topic == SIGNAL_TOPIC:
            signal = signal_view(message, now, self.receiver.heading_deg)
            with self._lock:
                if "seq" in message:
                    self._signals.take(message["seq"])
                self._band.take(signal)
                self._changed[signal["id"]] = signal
        elif topic == SPECTRUM_TOPIC:
            spectrum = spectrum_view(message, now)
            with self._lock:
                self._spectra.take(message["seq"])
                self._times.append(now)
                self._unseen += len(self._waiting) == MAX_WAITING
                self._waiting.append(spectrum)
                self._keep(spectrum | {"floor": None})  # a waterfall shows power alone
        else:
            self._status = status_view(message, now)

    def _keep(self, spectrum: dict[str, Any]) -> None:
        if len(self._past) == MAX_PAST:
            self._past_text -= len(self._past.popleft()["power"])
        self._past.append(spectrum)
        self._past_text += len(spectrum["power"])
        while self._past_text > MAX_PAST_TEXT:
            self._past_text -= len(self._past.popleft()["power"])

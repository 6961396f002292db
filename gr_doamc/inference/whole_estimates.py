"""Whole estimates of signals, a handful at a time, in whatever thread runs `run`; asked for and fetched by another."""

import threading
import time
from collections.abc import Callable
from typing import Any

from doamc.bands.live import LiveBand
from doamc.bands.placing import Place
from doamc.bands.signal import Signal

TOGETHER = 4  #: signals of which whole estimates are made at once
_WAIT_S = 0.5


class WholeEstimates:
    """One handful is in work at most. failed: told what a handful could not be estimated for.

    done: number of signals estimated so far. cpu_s: processor time that it took.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._wanted: tuple[LiveBand, list[Signal]] | None = None
        self._found: list[tuple[LiveBand, list[Signal], list[Place] | None]] = []
        self._changed = threading.Condition()
        self._closed = False
        self.done, self.cpu_s = 0, 0.0

    def want(self, live: LiveBand) -> None:
        """Have the signals of a band that need it most estimated, unless a handful is in work."""
        with self._changed:
            if self._wanted is None and (some := live.wanted(TOGETHER)):
                self._wanted = live, some
                self._changed.notify_all()

    def fetch(self, live: LiveBand) -> list[dict[str, Any]]:
        """Messages that come of what was estimated meanwhile; what is of another band is forgotten."""
        with self._changed:
            found, self._found = self._found, []
        out = []
        for of, signals, places in found:
            if of is live:
                out += live.placed(places) if places is not None else live.give_up(signals)
        return out

    def now(self, live: LiveBand, signals: list[Signal]) -> list[dict[str, Any]]:
        """Estimate signals of a band in this thread; messages that come of it."""
        places = self._estimate(live, signals)
        return live.placed(places) if places is not None else live.give_up(signals)

    def run(self) -> None:
        """Estimate what is wanted, until `close`."""
        while not self._closed:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None or self._closed, _WAIT_S)
                wanted = self._wanted
            if wanted is None:
                continue
            places = self._estimate(*wanted)
            with self._changed:
                self._found.append((*wanted, places))
                self._wanted = None

    def close(self) -> None:
        """End `run` after the handful that is in work."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _estimate(self, live: LiveBand, signals: list[Signal]) -> list[Place] | None:
        begin = time.thread_time()
        try:
            places = live.placer(signals, live.alive)
        except Exception as error:
            self._failed(error)
            return None
        finally:
            self.cpu_s += time.thread_time() - begin
        self.done += len(places)
        return places

"""Whole estimates of signals, a handful at a time, in whatever thread runs `run`; asked for and fetched by another.

They take as long as they are given: signals without one come first, at full pace; those whose turn it is to be looked
at again get a share of the time, so that slices find the processor, and Python's lock, free. While slices wait, none
is begun.
"""

import threading
import time
from collections.abc import Callable
from typing import Any

from doamc.bands.live import LiveBand
from doamc.bands.placing import Place
from doamc.bands.signal import Signal

TOGETHER, AGAIN = 4, 1  #: signals of which whole estimates are made at once: new ones, and those that have one
SHARE = 0.25  #: of the time that estimates of signals that have one take
YIELD_S = 1.0  #: for which a handful waits, at most, while slices do
_WAIT_S, _LOOK_S = 0.5, 0.02


class WholeEstimates:
    """One handful is in work at most. failed: told what a handful could not be estimated for.

    busy: whether slices wait; None: they never do. done: number of signals estimated so far. cpu_s: processor time that
    it took.
    """

    def __init__(self, failed: Callable[[Exception], None], busy: Callable[[], bool] | None = None) -> None:
        self._failed, self._busy = failed, busy or (lambda: False)
        self._wanted: tuple[LiveBand, list[Signal], bool] | None = None
        self._found: list[tuple[LiveBand, list[Signal], list[Place] | None]] = []
        self._changed = threading.Condition()
        self._closed = self._working = False
        self._rested = 0.0  # time from which on those that have one may be looked at again
        self.done, self.cpu_s = 0, 0.0

    def want(self, live: LiveBand) -> None:
        """Have the signals of a band that need it most estimated, unless a handful is in work."""
        with self._changed:
            if self._working:
                return
            some = live.wanted(TOGETHER)
            new = any(not live.has_place(s.id) for s in some)
            self._wanted = (live, some if new else some[:AGAIN], new) if some else None
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
        while (wanted := self._next()) is not None:
            live, signals, new = wanted
            begin = time.monotonic()
            places = self._estimate(live, signals)
            with self._changed:
                self._found.append((live, signals, places))
                self._wanted, self._working = None, False
                if not new:
                    self._rested = time.monotonic() + (time.monotonic() - begin) * (1 / SHARE - 1)

    def close(self) -> None:
        """End `run` after the handful that is in work."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _next(self) -> tuple[LiveBand, list[Signal], bool] | None:
        """What is to be estimated now, waiting for it; None once it is closed."""
        patience = time.monotonic() + YIELD_S
        with self._changed:
            while not self._closed:
                now = time.monotonic()
                new = self._wanted is not None and self._wanted[2]
                rest = _WAIT_S if self._wanted is None else 0.0 if new else self._rested - now
                if rest > 0:
                    patience = now + YIELD_S
                    self._changed.wait(min(rest, _WAIT_S))
                elif self._busy() and now < patience:
                    self._changed.wait(_LOOK_S)
                else:
                    self._working = True
                    return self._wanted
        return None

    def _estimate(self, live: LiveBand, signals: list[Signal]) -> list[Place] | None:
        begin = time.thread_time()
        try:
            places = live.placer(signals, live.alive)
        except Exception as error:
            if not self._closed:  # afterwards nobody asks, and at the end of the program much fails
                self._failed(error)
            return None
        finally:
            self.cpu_s += time.thread_time() - begin
        self.done += len(places)
        return places

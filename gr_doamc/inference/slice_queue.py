"""A bounded queue of slices between the stream and the engine, in order; what finds no room is counted."""

import math
import threading
from collections import deque
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tuning:
    """A new beginning: what the samples that follow are received at, from a sample of the stream on.

    frequency_hz: 0 where it is not told. time: of that sample by the receiver's clock, s, None where it is not told.
    """

    frequency_hz: float
    sample_rate: float
    sample: int
    time: float | None


@dataclass(frozen=True)
class Lengths:
    """Samples from slice to slice, those that each shares with the next, and the fewest worth a last, shorter one."""

    slice: int
    overlap: int = 0
    least: float = math.inf


@dataclass(frozen=True)
class Slice:
    """Samples (N, T), the Unix time at which the last of them came, and slices lost since the one before."""

    samples: np.ndarray
    time: float
    lost: int = 0


class SliceQueue:
    """At most ``size`` slices. waits: `put` waits for room, else a slice that finds none is dropped.

    received = taken + dropped + those waiting, at any time.
    """

    def __init__(self, size: int, waits: bool) -> None:
        self._size, self._waits = size, waits
        self._items: deque[Slice | Tuning] = deque()
        self._slices = self._lost = 0
        self._closed = False
        self._changed = threading.Condition()
        self.received = self.dropped = self.taken = 0

    def put(self, item: Slice) -> None:
        """Add a slice."""
        with self._changed:
            self.received += 1
            if self._waits:
                self._changed.wait_for(lambda: self._slices < self._size or self._closed)
            self._lost += item.lost
            if self._slices >= self._size or self._closed:
                self.dropped += 1
                self._lost += 1
                return
            self._items.append(Slice(item.samples, item.time, self._lost))
            self._slices, self._lost = self._slices + 1, 0
            self._changed.notify_all()

    def tune(self, item: Tuning) -> None:
        """Add a beginning, which is never dropped; of two side by side only the last counts."""
        with self._changed:
            if self._items and isinstance(self._items[-1], Tuning):
                self._items.pop()
            self._items.append(item)
            self._lost = 0
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Slice | Tuning | None:
        """The next one, waiting for it; None when none came in time, or the queue is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            if isinstance(item, Slice):
                self._slices -= 1
                self.taken += 1
            self._changed.notify_all()
            return item

    @property
    def waiting(self) -> int:
        """Slices that wait."""
        return self._slices

    @property
    def ended(self) -> bool:
        """Whether it is closed, and nothing is left."""
        return self._closed and not self._items

    def close(self, drop: bool = False) -> None:
        """Take no more; what waits can still be taken, unless it is to be dropped, with its count."""
        with self._changed:
            self._closed = True
            if drop:
                self.dropped += self._slices
                self._items.clear()
                self._slices = 0
            self._changed.notify_all()

"""A bounded queue between the stream and the engine: newest first, and every batch is accounted for."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class BatchQueue(Generic[T]):
    """At most ``size`` items; a new one pushes out the oldest, the newest is taken first.

    received = taken + dropped + len(queue) at any time.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: list[T] = []
        self._closed = False
        self._changed = threading.Condition()
        self.received = self.dropped = self.taken = 0

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Add an item; the oldest is dropped, and counted, when the queue is full or closed."""
        with self._changed:
            self.received += 1
            self._items.append(item)
            while len(self._items) > (0 if self._closed else self._size):
                self._items.pop(0)
                self.dropped += 1
            self._changed.notify()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def take(self, timeout_s: float | None = None) -> T | None:
        """The newest item, waiting for one; None when none came in time or the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed, timeout_s)
            if not self._items:
                return None
            self.taken += 1
            return self._items.pop()

    def close(self) -> None:
        """Drop what is left, with its count, and let `take` return None."""
        with self._changed:
            self._closed = True
            self.dropped += len(self._items)
            self._items.clear()
            self._changed.notify_all()

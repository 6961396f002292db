"""Memory of frames: buffers that go round between the client's thread and whoever takes the frames."""

import threading
from collections import deque
from dataclasses import dataclass, field

from doamc.krakensdr.frame import Frame
from doamc.krakensdr.link import Halt


@dataclass
class Buffer:
    """Memory of a frame; ``data`` is replaced when more is needed, since views of the old one may be left."""

    data: bytearray = field(default_factory=bytearray)


class Pool:
    """Buffers, at most so many at once, and the frames that wait to be taken.

    Attributes: free (buffers that nobody has).
    """

    def __init__(self) -> None:
        self.free: list[Buffer] = []
        self._used = 0  # buffers that somebody has
        self._owners: dict[int, Buffer] = {}  # of the frames handed out, by id of their samples
        self._ready: deque[Frame] = deque()
        self._change = threading.Condition()

    def take(self, limit: int, halt: Halt, wait: bool = True) -> Buffer | None:
        """A free buffer; None when so many are in use, unless it waits for one, and at the end."""
        with self._change:
            del self.free[limit:]
            if wait:
                self._change.wait_for(lambda: self._used < limit or halt.is_set())
            if halt.is_set() or self._used >= limit:
                return None
            self._used += 1
            return self.free.pop() if self.free else Buffer()

    def give(self, buffer: Buffer) -> None:
        """Take a buffer back."""
        with self._change:
            self._used -= 1
            self.free.append(buffer)
            self._change.notify_all()

    def put(self, frame: Frame, buffer: Buffer) -> None:
        """Have a frame wait whose samples lie in this buffer."""
        with self._change:
            self._owners[id(frame.samples)] = buffer
            self._ready.append(frame)
            self._change.notify_all()

    def get(self, timeout_s: float | None, halt: Halt) -> Frame | None:
        """The oldest frame that waits; None when none came in time or the client is to end."""
        with self._change:
            self._change.wait_for(lambda: self._ready or halt.is_set(), timeout_s)
            return self._ready.popleft() if self._ready else None

    def release(self, frame: Frame) -> None:
        """Take the buffer of a frame back; again is harmless."""
        with self._change:
            buffer = self._owners.pop(id(frame.samples), None)
        if buffer is not None:
            self.give(buffer)

    def wake(self) -> None:
        """Have everybody who waits look whether the end has come."""
        with self._change:
            self._change.notify_all()

    def clear(self) -> None:
        """Drop the frames that wait."""
        while self._ready:
            self.release(self._ready.popleft())

"""Packets out of a stream of bytes whose place may be lost.

A packet is believed when its header is credible and another credible header follows it, or nothing does: the end of
the connection, or a silence. One that was cut short therefore never passes, though bytes enough came after it; the
place is then sought byte by byte from behind its magic, so that the next packet, which lies within, is found.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.krakensdr.version2.packet import HEADER_SIZE, MAGIC, MAX_SIZE, Header, header_size, parse

#: memory: two of the longest packets
_CAPACITY = 2 * MAX_SIZE + HEADER_SIZE


@dataclass(frozen=True)
class Packet:
    """A packet that is believed. samples: (M, 2 T) uint8, I and Q in turn; overwritten when more is read."""

    header: Header
    samples: NDArray[np.uint8]


class Scanner:
    """Bytes in, packets out.

    Attributes: passed_over (bytes that belong to no packet), losses (how often the place was lost).
    """

    def __init__(self) -> None:
        self._data = bytearray(_CAPACITY)
        self._begin = self._end = 0
        self._next: tuple[int, Header] | None = None  # a header that was read already, and where
        self._lost = False
        self.passed_over = self.losses = 0

    @property
    def pending(self) -> int:
        """Bytes that wait for more."""
        return self._end - self._begin

    def room(self) -> memoryview:
        """Where the next bytes are to be put; never empty once `packets` was used up."""
        if self._begin and len(self._data) - self._end < MAX_SIZE:
            count = self.pending
            self._data[:count] = self._data[self._begin : self._end]
            if self._next is not None:
                self._next = self._next[0] - self._begin, self._next[1]
            self._begin, self._end = 0, count
        return memoryview(self._data)[self._end :]

    def filled(self, count: int) -> None:
        """So many bytes were put there."""
        self._end += count

    def packets(self, silent: bool = False) -> Iterator[Packet]:
        """The packets that are whole; silent: nothing will follow, or has not for a while."""
        while (header := self._header()) is not None and self.pending >= header.size:
            stop = self._begin + header.size
            follows = self._believed(stop)
            if follows is None and not (silent and stop == self._end):
                return
            if follows is False:
                self._pass_over(1)
                continue
            first, self._begin, self._lost = self._begin, stop, False
            shape = header.n_channels, 2 * header.n_samples
            count = shape[0] * shape[1]
            yield Packet(header, np.frombuffer(self._data, np.uint8, count, first + header.offset).reshape(shape))

    def _header(self) -> Header | None:
        """The credible header that comes next, at `_begin`; None while more bytes are needed."""
        while True:
            place = self._data.find(MAGIC, self._begin, self._end)
            if place < 0:
                kept = next(k for k in (3, 2, 1, 0) if self._data.endswith(MAGIC[:k], self._begin, self._end))
                self._pass_over(max(0, self.pending - kept))
                return None
            self._pass_over(place - self._begin)
            found = self._believed(place)
            if found is None:
                return None
            if found:
                assert self._next is not None
                return self._next[1]
            self._pass_over(1)

    def _believed(self, place: int) -> bool | None:
        """Whether a credible header is at a place; None when too few bytes tell."""
        if self._next is not None and self._next[0] == place:
            return True
        if self._end - place < 8:
            known = bytes(self._data[place : min(self._end, place + 4)])
            return None if MAGIC.startswith(known) else False
        size = header_size(self._data, place)
        if size is None:
            return False
        if self._end - place < size:
            return None
        header = parse(self._data, place)
        if header is None:
            return False
        self._next = place, header
        return True

    def _pass_over(self, count: int) -> None:
        if count:
            self._begin += count
            self.passed_over += count
            self.losses += not self._lost
            self._lost = True

"""Packets out of a stream of bytes whose place may be lost.

A packet is believed when its header is credible and the magic of another follows it, or nothing does: the end of the
connection, or a silence. One that was cut short therefore never passes, though bytes enough came after it; the place is
then sought byte by byte from behind its magic, so that the next packet, which lies within, is found.
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
            self._begin, self._end = 0, count
        return memoryview(self._data)[self._end :]

    def filled(self, count: int) -> None:
        """So many bytes were put there."""
        self._end += count

    def packets(self, silent: bool = False) -> Iterator[Packet]:
        """The packets that are whole; silent: nothing will follow, or has not for a while."""
        while (header := self._header()) is not None and self.pending >= header.size:
            first, stop = self._begin, self._begin + header.size
            follows = bytes(self._data[stop : min(self._end, stop + len(MAGIC))])
            if not MAGIC.startswith(follows):
                self._pass_over(1)
                continue
            if follows != MAGIC and (follows or not silent):
                return
            self._begin, self._lost = stop, False
            shape = header.n_channels, 2 * header.n_samples
            count = shape[0] * shape[1]
            yield Packet(header, np.frombuffer(self._data, np.uint8, count, first + header.offset).reshape(shape))

    def _header(self) -> Header | None:
        """The credible header that comes next, at `_begin`; None while more bytes are needed."""
        while True:
            place = self._data.find(MAGIC, self._begin, self._end)
            if place < 0:
                kept = next(k for k in (3, 2, 1, 0) if self._data.endswith(MAGIC[:k], self._begin, self._end))
                self._pass_over(self.pending - kept)
                return None
            self._pass_over(place - self._begin)
            if self.pending < HEADER_SIZE:
                return None
            size = header_size(self._data, place)
            if size is not None and self.pending < size:
                return None
            header = None if size is None else parse(self._data, place)
            if header is not None:
                return header
            self._pass_over(1)

    def _pass_over(self, count: int) -> None:
        if count:
            self._begin += count
            self.passed_over += count
            self.losses += not self._lost
            self._lost = True

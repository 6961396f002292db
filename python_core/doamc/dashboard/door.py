"""The door of the server: who says nothing, or half a sentence, is shown out, and nobody can fill the hall.

A connection that has not sent the head of its first request within `HEAD_S` is closed. At most `capacity` connections
are open, fewer than the system has descriptors; beyond, whoever has kept silent for longest makes room, and when all
have spoken the newcomer is turned away.
"""

import asyncio
import os
from collections.abc import Callable
from typing import cast

#: time for the head of the first request, s
HEAD_S = 10.0
MOST_CONNECTIONS = 256
_END_OF_HEAD = b"\r\n\r\n"


def capacity() -> int:
    """Connections that may be open at once: `MOST_CONNECTIONS`, or half of the descriptors where those are few."""
    if os.name != "posix":
        return MOST_CONNECTIONS
    import resource

    few = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST_CONNECTIONS if few == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, few // 2)


class Door:
    """Makes the protocols of a server: those of ``inside``, each behind a `_Visitor`. Its event loop only."""

    def __init__(self, inside: Callable[[], asyncio.Protocol]) -> None:
        self._inside = inside
        self._most = capacity()
        self._present: dict[_Visitor, bool] = {}  # whether they have spoken, in the order of their coming

    def __call__(self) -> asyncio.Protocol:
        """A protocol for a connection."""
        return _Visitor(self, self._inside())

    def enter(self, visitor: "_Visitor") -> None:
        """A connection is there."""
        self._present[visitor] = False
        if len(self._present) > self._most:
            next(v for v, spoken in self._present.items() if not spoken).show_out()  # perhaps the newcomer itself

    def spoken(self, visitor: "_Visitor") -> None:
        """It has sent the head of a request."""
        if visitor in self._present:
            self._present[visitor] = True

    def leave(self, visitor: "_Visitor") -> None:
        """It is gone, or about to; again is harmless."""
        self._present.pop(visitor, None)


class _Visitor(asyncio.Protocol):
    """Passes a connection on to the protocol inside, and listens for the end of the first head."""

    def __init__(self, door: Door, inside: asyncio.Protocol) -> None:
        self._door, self._inside = door, inside
        self._tail = b""
        self._spoken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._patience = asyncio.get_running_loop().call_later(HEAD_S, self.show_out)
        self._inside.connection_made(transport)
        self._door.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        self._door.leave(self)
        self._inside.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._spoken:
            self._tail += data
            self._spoken = _END_OF_HEAD in self._tail
            self._tail = self._tail[1 - len(_END_OF_HEAD) :]
            if self._spoken:
                self._patience.cancel()
                self._door.spoken(self)
        self._inside.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inside.eof_received()

    def pause_writing(self) -> None:
        self._inside.pause_writing()

    def resume_writing(self) -> None:
        self._inside.resume_writing()

    def show_out(self) -> None:
        """End the connection."""
        self._door.leave(self)
        self._transport.abort()

"""Limits on a server's connections: a time for the head of the first request, and a greatest number.

A connection that has not sent the head of its first request within `HEAD_S` is closed. At most `capacity` connections
are open, fewer than the system has descriptors. For one more, that which has been silent for longest is closed; when
all have sent a request, the new one is.
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


class Limited:
    """Makes the protocols of a server: those of ``make``, each within the limits. Used from its event loop only."""

    def __init__(self, make: Callable[[], asyncio.Protocol]) -> None:
        self._make = make
        self._most = capacity()
        self._open: dict[_Connection, bool] = {}  # whether they have sent a head, in the order of their coming

    def __call__(self) -> asyncio.Protocol:
        """A protocol for a connection."""
        return _Connection(self, self._make())

    def opened(self, connection: "_Connection") -> None:
        """A connection was made."""
        self._open[connection] = False
        if len(self._open) > self._most:
            next(c for c, heard in self._open.items() if not heard).abort()  # perhaps the new one itself

    def heard(self, connection: "_Connection") -> None:
        """It has sent the head of a request."""
        if connection in self._open:
            self._open[connection] = True

    def closed(self, connection: "_Connection") -> None:
        """It is closed, or about to be; again is harmless."""
        self._open.pop(connection, None)


class _Connection(asyncio.Protocol):
    """Passes a connection on to the protocol inside, and looks for the end of the first head."""

    def __init__(self, limited: Limited, inside: asyncio.Protocol) -> None:
        self._limited, self._inside = limited, inside
        self._tail = b""
        self._heard = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._timer = asyncio.get_running_loop().call_later(HEAD_S, self.abort)
        self._inside.connection_made(transport)
        self._limited.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._limited.closed(self)
        self._inside.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._heard:
            self._tail += data
            self._heard = _END_OF_HEAD in self._tail
            self._tail = self._tail[1 - len(_END_OF_HEAD) :]
            if self._heard:
                self._timer.cancel()
                self._limited.heard(self)
        self._inside.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inside.eof_received()

    def pause_writing(self) -> None:
        self._inside.pause_writing()

    def resume_writing(self) -> None:
        self._inside.resume_writing()

    def abort(self) -> None:
        """End the connection."""
        self._limited.closed(self)
        self._transport.abort()

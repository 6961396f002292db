"""Connection to a data server that may stall, trickle, close or lie: waits are limited, memory grows as bytes come."""

import math
import socket
import threading
import time
from contextlib import suppress
from types import TracebackType

from doamc.errors import ReceiverError

#: a connection that brings less than this while it owes something, in bytes a second, is stalled
SLOWEST = 1e6
#: memory grows by this as bytes come, whatever a header announces
STEP = 1 << 20
#: bytes passed over at once
_SCRATCH = 1 << 16
#: limit of an attempt to connect, s
_CONNECT_S = 1.0
#: a wait on the network is interrupted so often to see whether it is to end, s
_TICK_S = 0.1
#: limit of sending a word, s
_SEND_S = 5.0


class Halt(threading.Event):
    """The wish to end: nothing new begins, and what is under way has until `by` (monotonic time, s)."""

    def __init__(self) -> None:
        super().__init__()
        self.by = math.inf

    def ask(self, within_s: float) -> None:
        """Ask for the end within so many seconds."""
        self.by = time.monotonic() + within_s
        self.set()


class Link:
    """A connection, a context manager that closes it.

    timeout_s: the window in which ``SLOWEST * timeout_s`` bytes, or all that is owed, must come. halt: ends reads.
    Raises OSError when nobody answers.
    """

    def __init__(self, address: tuple[str, int], timeout_s: float, halt: Halt) -> None:
        self._timeout_s, self._halt = timeout_s, halt
        self._scratch = bytearray(_SCRATCH)
        self._socket = socket.create_connection(address, min(_CONNECT_S, timeout_s))
        try:
            if self._socket.getsockname() == self._socket.getpeername():
                # a port that nobody listens on may be given to us for our own end
                raise ConnectionRefusedError("found only this client itself on that port")
            _watch(self._socket)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> "Link":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; again is harmless."""
        self._socket.close()

    def send(self, word: bytes) -> None:
        """Send a word. Raises OSError when the server is gone."""
        self._socket.settimeout(_SEND_S)
        self._socket.sendall(word)

    def heard(self, within_s: float) -> bool:
        """Whether the server sends something within so many seconds, without taking it."""
        limit = time.monotonic() + within_s
        while (left := limit - time.monotonic()) > 0 and not self._halt.is_set():
            self._socket.settimeout(min(left, _TICK_S))
            with suppress(TimeoutError):
                return bool(self._socket.recv(1, socket.MSG_PEEK))
        return False

    def receive(self, into: memoryview, within_s: float) -> int:
        """Take what comes, at most what there is room for; the number of bytes, 0 when none came in time.

        Raises ReceiverError when the server closes, OSError when the connection breaks.
        """
        self._socket.settimeout(within_s)
        try:
            count = self._socket.recv_into(into)
        except TimeoutError:
            return 0
        if not count:
            raise ReceiverError("found the connection closed by the server")
        return count

    def read(self, size: int, into: bytearray | None, first_s: float) -> None:
        """Read so many bytes to the beginning of a buffer, which grows as they come; None passes over them.

        first_s: how long the first byte may take.
        Raises ReceiverError when the server closes, falls silent or trickles, OSError when the connection breaks.
        """
        done = marked = 0
        limit = time.monotonic() + first_s
        while done < size:
            left = min(limit, self._halt.by) - time.monotonic()
            if left <= 0:
                raise ReceiverError(f"expected {size} bytes, found a stall after {done}")
            self._socket.settimeout(min(left, _TICK_S))
            try:
                count = self._receive(size, done, into)
            except TimeoutError:
                continue
            if not count:
                raise ReceiverError(f"expected {size} bytes, found the connection closed after {done}")
            if not done or done + count - marked >= SLOWEST * self._timeout_s:
                limit, marked = time.monotonic() + self._timeout_s, done + count
            done += count

    def _receive(self, size: int, done: int, into: bytearray | None) -> int:
        if into is None:
            into, size, done = self._scratch, size - done, 0
        elif done == len(into):
            into.extend(bytes(min(STEP, size - done)))
        with memoryview(into)[done:size] as view:
            return self._socket.recv_into(view)


def _watch(connection: socket.socket) -> None:
    """Send requests at once, and notice within seconds a server that was cut off without a word."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 1), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):  # not on every system
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

"""One client of the data server: its own bounded queue, its own thread, its own account."""

import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

from doamc.krakensdr.version2.emulator.accounts import Account
from doamc.krakensdr.version2.emulator.parcels import GARBAGE, Parcel

#: how often a wait looks whether it is to end, s
_TICK_S = 0.1
#: parcels that a packet may come with
_AT_ONCE = 2
#: a client that takes no bytes for so long is left, s
_SILENT_S = 30.0


class Outlet:
    """Sends parcels to a client, in order.

    connection: of the client, closed in the end. room: parcels that its queue holds. close_when_full: a client that is
    too slow is left instead of losing packets.
    Attributes: account, thread.
    """

    def __init__(self, connection: socket.socket, peer: str, room: int, close_when_full: bool = False) -> None:
        self.account = Account(peer)
        self._socket, self._close_when_full = connection, close_when_full
        self._room, self._queue, self._changed = room, deque[Parcel](), threading.Condition()
        self._last, self._halt, self._over = threading.Event(), threading.Event(), False
        self._writable, self._handed = select.poll(), 0
        self._writable.register(connection, select.POLLOUT)
        self.thread = threading.Thread(target=self._run, name="krakensdr-client", daemon=True)
        self.thread.start()

    @property
    def alive(self) -> bool:
        """Whether the client is served."""
        return self.thread.is_alive()

    def offer(self, parcel: Parcel) -> bool:
        """Queue a parcel, or count it as lost where there is no room; whether the client is still served."""
        with self._changed:
            if self._over:
                return False
            if len(self._queue) < self._room:
                self._queue.append(parcel)
                self._changed.notify_all()
                return True
        self.account.lost += parcel.kind != GARBAGE
        if self._close_when_full:
            self.finish("it was too slow", at_once=True)
        return True

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether its queue has room for a packet and its faults, or it needs none any more."""
        most = max(0, self._room - _AT_ONCE)
        with self._changed:
            return self._changed.wait_for(lambda: len(self._queue) <= most or self._over, timeout_s)

    def finish(self, why: str, at_once: bool = False) -> None:
        """Close, after what is queued is sent, or at once; the thread then ends."""
        self.account.ended = self.account.ended or why
        (self._halt if at_once else self._last).set()
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        with self._socket:
            try:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket.setblocking(False)
                self._serve()
            except OSError as error:
                self.account.ended = self.account.ended or f"it left ({error.strerror or error})"
            with self._changed:  # before the client can know, and come again
                self._over = True
                self.account.unsent += sum(p.kind != GARBAGE for p in self._queue)
                self._queue.clear()
                self._changed.notify_all()
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)  # what was handed over still arrives

    def _serve(self) -> None:
        while not self._halt.is_set():
            self._must_be_there()
            parcel = self._take()
            if parcel is not None:
                self._send(parcel)
                if parcel.close:
                    self.account.ended = "a fault: close"
                    return
            elif self._last.is_set():
                return

    def _take(self) -> Parcel | None:
        """The parcel whose turn it is; None when none came for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._last.is_set() or self._halt.is_set(), _TICK_S)
            self._changed.notify_all()
            return self._queue.popleft() if self._queue else None

    def _send(self, parcel: Parcel) -> None:
        """Send a parcel, with its pause; what is handed over of one that is not sent to its end counts as cut."""
        size = sum(len(p) for p in parcel.parts)
        self._handed = 0
        try:
            if parcel.stall_s:
                self._hand_over(parcel.parts, size // 2)
                self._halt.wait(parcel.stall_s)
            self._hand_over(parcel.parts, size)
        finally:
            if self._handed == size:
                self.account.sent_whole(parcel, size)
            else:
                self.account.sent_in_part(parcel, self._handed)

    def _hand_over(self, parts: Sequence[bytes | memoryview], end: int) -> None:
        """Hand bytes of all parts together to the network, up to the end of so many, or until a halt."""
        since = time.monotonic()
        while self._handed < end and not self._halt.is_set():
            try:
                self._handed += self._socket.sendmsg(_between(parts, self._handed, end))
                since = time.monotonic()
            except BlockingIOError:
                if time.monotonic() - since > _SILENT_S:
                    raise TimeoutError("it takes nothing") from None
                self._writable.poll(1e3 * _TICK_S)

    def _must_be_there(self) -> None:
        """Raise BrokenPipeError where the client closed, or said anything, which it never does."""
        with suppress(BlockingIOError):
            heard = self._socket.recv(64)
            raise BrokenPipeError("it closed" if not heard else f"it sent {len(heard)} bytes")


def _between(parts: Sequence[bytes | memoryview], begin: int, end: int) -> list[bytes | memoryview]:
    """The bytes from `begin` to `end` of all parts together, as pieces of them."""
    found = []
    for part in parts:
        if piece := part[max(0, begin) : max(0, end)]:
            found.append(piece)
        begin, end = begin - len(part), end - len(part)
    return found

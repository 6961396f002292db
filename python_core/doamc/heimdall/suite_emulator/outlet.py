"""One client of the data server: its own bounded queue, its own thread, its own account."""

import queue
import select
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

from doamc.heimdall.suite_emulator.accounts import CUT, Account
from doamc.heimdall.suite_emulator.parcels import PACKET, Parcel

#: how often a wait looks whether it is to end, s
_TICK_S = 0.1
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
        self._queue: queue.Queue[Parcel] = queue.Queue(room)
        self._last, self._halt = threading.Event(), threading.Event()
        self._writable, self._handed = select.poll(), 0
        self._writable.register(connection, select.POLLOUT)
        self.thread = threading.Thread(target=self._run, name="krakensdr-client", daemon=True)
        self.thread.start()

    @property
    def alive(self) -> bool:
        """Whether the client is served."""
        return self.thread.is_alive()

    def offer(self, parcel: Parcel) -> None:
        """Queue a parcel; where there is no room it is lost, and counted."""
        try:
            if not self._last.is_set():
                self._queue.put_nowait(parcel)
        except queue.Full:
            self.account.lost += parcel.kind == PACKET
            if self._close_when_full:
                self.finish("it was too slow", at_once=True)

    def wait_for_room(self, timeout_s: float) -> bool:
        """Whether its queue has room, or it needs none any more."""
        limit = time.monotonic() + timeout_s
        while self._queue.full() and self.alive:
            if time.monotonic() >= limit:
                return False
            time.sleep(0.0005)
        return True

    def finish(self, why: str, at_once: bool = False) -> None:
        """Close, after what is queued is sent, or at once; the thread then ends."""
        self.account.ended = self.account.ended or why
        (self._halt if at_once else self._last).set()

    def _run(self) -> None:
        try:
            with self._socket:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._socket.setblocking(False)
                self._serve()
                self._socket.shutdown(socket.SHUT_WR)  # what was handed over still arrives
        except OSError as error:
            self.account.ended = self.account.ended or f"it left ({error.strerror or error})"
        while not self._queue.empty():
            self.account.unsent += self._queue.get_nowait().kind == PACKET

    def _serve(self) -> None:
        while not self._halt.is_set():
            last = self._last.is_set()  # asked for first: what came before it is in the queue
            try:
                parcel = self._queue.get(timeout=_TICK_S)
            except queue.Empty:
                if last:
                    return
                self._must_be_there()
                continue
            self._must_be_there()
            self._send(parcel)
            if parcel.close:
                self.account.ended = "a fault: close"
                return

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
                self.account.bytes[CUT] += self._handed

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

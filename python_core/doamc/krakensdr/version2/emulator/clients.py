"""All clients of the data server: taken in as they come, each with an account that stays when it leaves."""

import socket
import threading
import time
from collections import deque
from contextlib import suppress

from doamc.errors import ReceiverError
from doamc.krakensdr.listen import listen
from doamc.krakensdr.version2.emulator.accounts import Account
from doamc.krakensdr.version2.emulator.outlet import Outlet
from doamc.krakensdr.version2.emulator.parcels import GARBAGE, Parcel

_TICK_S = 0.1
#: how long a port that somebody else has taken is tried for, s
_TAKEN_S = 10.0
#: clients at once; accounts that are kept of clients that are gone, beside their sum
_MOST, _ACCOUNTS = 16, 1000


class Clients:
    """Listens, and sends parcels to everyone who came.

    host, port: where it listens; 0 takes a free port, told by the attribute. room: parcels that wait for a client.
    close_when_full: a client that is too slow is left.
    Attributes: port, refused (clients beyond 16), unheard (packets that passed while there was no client).
    Raises ReceiverError when the port cannot be bound.
    """

    def __init__(self, host: str, port: int, room: int, close_when_full: bool) -> None:
        self._host, self._room, self._close_when_full = host, room, close_when_full
        self._listener = listen(host, port)
        self.port: int = self._listener.getsockname()[1]
        self.refused = self.unheard = 0
        self._closed = False
        self._outlets: list[Outlet] = []
        self._gone, self._sum = deque[Account](maxlen=_ACCOUNTS), Account("all")
        self._end, self._lock = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._accept, name="krakensdr-accept", daemon=True)

    @property
    def accounts(self) -> list[Account]:
        """Of those that are gone, the latest 1000, in the order in which they left; then of those that are served."""
        with self._lock:
            return [*self._gone, *(o.account for o in self._outlets)]

    @property
    def serving(self) -> list[Outlet]:
        """Those that are served."""
        with self._lock:
            return [o for o in self._outlets if o.alive]

    def total(self) -> Account:
        """Sum of the accounts of all clients so far."""
        result = Account("all")
        with self._lock:
            for account in (self._sum, *(o.account for o in self._outlets)):
                result.add(account)
        return result

    def start(self) -> None:
        """Begin to take clients in."""
        self._thread.start()

    def send(self, parcels: list[Parcel]) -> None:
        """Queue parcels for everyone."""
        with self._lock:
            outlets = list(self._outlets)
        for parcel in parcels:
            if not any([o.offer(parcel) for o in outlets]):
                self.unheard += parcel.kind != GARBAGE
        if not all(o.alive for o in outlets):
            self._forget()

    def leave(self, why: str, at_once: bool = False) -> None:
        """Take leave of all: after what is queued for them, or at once."""
        with self._lock:
            outlets = list(self._outlets)
        for outlet in outlets:
            outlet.finish(why, at_once)
        for outlet in outlets:
            while outlet.alive:
                outlet.thread.join(_TICK_S)
                if self._end.is_set():
                    outlet.finish(why, at_once=True)
        self._forget()

    def close(self) -> None:
        """Listen no more: who is not taken in by now never will be."""
        with self._lock:
            self._closed = True
            with suppress(OSError):  # it was closed before
                self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it and holds the port
            self._listener.close()

    def listen_again(self) -> None:
        """Listen on the same port. Raises ReceiverError when somebody else has taken it and does not leave it."""
        limit = time.monotonic() + _TAKEN_S
        while True:
            try:
                listener = listen(self._host, self.port)
                break
            except ReceiverError:  # a client that calls again and again may have come to hold it for a moment
                if time.monotonic() > limit or self._end.wait(_TICK_S):
                    raise
        with self._lock:
            self._listener, self._closed = listener, False

    def stop(self, why: str) -> None:
        """End."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(10.0)
        self.close()
        self.leave(why, at_once=True)

    def _accept(self) -> None:
        while not self._end.is_set():
            try:
                self._listener.settimeout(_TICK_S)
                connection, (host, port, *_) = self._listener.accept()
            except OSError:  # nobody came, or it does not listen just now
                self._end.wait(0.001)
                continue
            with self._lock:
                if self._closed or sum(o.alive for o in self._outlets) >= _MOST:
                    self.refused += not self._closed
                    connection.close()
                else:
                    self._outlets.append(Outlet(connection, f"{host}:{port}", self._room, self._close_when_full))

    def _forget(self) -> None:
        """Keep the accounts of those that are gone, and nothing else of them."""
        with self._lock:
            for outlet in [o for o in self._outlets if not o.alive]:
                self._outlets.remove(outlet)
                self._gone.append(outlet.account)
                self._sum.add(outlet.account)

"""Connection to a control server: one command at a time, each confirmed by a reply that may be late.

A late reply is waited for on the same connection: a new one, and the command once more, would wait behind it.
"""

import socket
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from doamc.errors import ReceiverError

#: a server that has not replied for so long never will: the next command takes another connection, s
LOST_S = 60.0
#: bytes read at once, and how often without a pause
_READ, _READS = 1 << 16, 64


class ControlLink(ABC):
    """Sends commands and waits for their replies; not for several threads at once.

    It connects at the first command and again after a failure. A command whose reply does not come in time is an error,
    but its connection stays: the same command again waits on, another one waits its turn.
    host, port: of the control server. timeout_s: for a connection and for each reply.
    Attributes: sent (commands that were confirmed).
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._address, self._timeout_s = (host, port), timeout_s
        self._socket: socket.socket | None = None
        self._due: bytes | None = None  # the message whose reply has not come
        self._due_since = 0.0
        self._come = bytearray()  # what has come and was not looked at
        self.sent = 0

    @property
    def pending(self) -> bool:
        """Whether a command is on its way: sent, its reply not here yet."""
        return self._due is not None

    def request(self, message: bytes) -> Any:
        """Send a message; its reply.

        Raises ReceiverError when the server is absent, does not reply in time or replies with something else.
        """
        try:
            self._connect()
            while True:
                if self._due is None:
                    self._send(message)
                due, reply = self._due, self._await(self._timeout_s)
                if due == message:
                    self.sent += 1
                    return reply
        except TimeoutError as error:
            raise self._late() from error
        except (OSError, ValueError) as error:  # a name of a host that cannot be is a ValueError
            self._drop()
            raise self._none(str(error)) from error
        except ReceiverError:
            self._drop()
            raise

    def close(self) -> None:
        """Close the connection; again is harmless."""
        self._drop()

    def __enter__(self) -> "ControlLink":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _greet(self) -> None:  # noqa: B027 - not every server wants it
        """Say what is said first on a connection."""

    @abstractmethod
    def _take(self) -> Any:
        """The reply to the command that is due, taken from `_come`; None while it is not whole.

        Raises ReceiverError when something else came.
        """

    @abstractmethod
    def _rest(self) -> None:
        """Look at what came while no command was due. Raises ReceiverError when nothing should have."""

    @abstractmethod
    def _named(self, message: bytes) -> str:
        """A message, as it is called in errors."""

    @property
    def _at(self) -> str:
        host, port = self._address
        return f"{host}:{port}"

    def _connect(self) -> None:
        """Have a connection that still stands."""
        if self._socket is not None and self._due is None:
            self._rest()
            self._socket.setblocking(False)
            with suppress(BlockingIOError):
                for _ in range(_READS):
                    if not self._read():
                        self._drop()  # closed meanwhile
                        break
                    self._rest()
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._greet()

    def _send(self, message: bytes) -> None:
        assert self._socket is not None
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(message)
        self._due, self._due_since = message, time.monotonic()

    def _read(self) -> bool:
        """Read what is there; whether the connection still stands."""
        assert self._socket is not None
        part = self._socket.recv(_READ)
        self._come += part
        return bool(part)

    def _await(self, timeout_s: float) -> Any:
        """The reply that is due. Raises TimeoutError while it is not here; what came of it is kept."""
        assert self._socket is not None and self._due is not None
        due, limit = self._named(self._due), time.monotonic() + timeout_s
        while (reply := self._take()) is None:
            if (left := limit - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            if not self._read():
                raise ReceiverError(f"expected a reply to {due} from {self._at}, found the connection closed")
        self._due = None
        return reply

    def _late(self) -> ReceiverError:
        """What a time-out means: nobody there, a reply that is still to come, or one that never will."""
        if self._due is None:
            self._drop()
            return self._none("no reply in time")
        due, waited_s = self._named(self._due), time.monotonic() - self._due_since
        if waited_s > LOST_S:
            self._drop()
            return ReceiverError(f"{self._at} has not replied to {due} for {waited_s:.0f} s; connecting again")
        return ReceiverError(f"{self._at} has not replied to {due} yet (no reply in time); waiting for it")

    def _none(self, cause: str) -> ReceiverError:
        return ReceiverError(f"expected a control server at {self._at}, found none that answers ({cause})")

    def _drop(self) -> None:
        self._due = None
        self._come.clear()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

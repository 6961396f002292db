"""Control server of the emulated suite: objects of JSON, in any pieces; answers and an unasked status, one a line."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from doamc.errors import ReceiverError
from doamc.files.small_file import parse_json
from doamc.krakensdr.listener import TICK_S, Listener
from doamc.krakensdr.version2.emulator.objects import split_objects
from doamc.text import one_line, shown

#: clients at once; a client that takes no answer for so long is left, s
_CLIENTS, _SEND_S = 8, 2.0


class ControlServer(Listener):
    """Answers every client in a thread of its own.

    execute: called with a command, a dict; raises ReceiverError on what it refuses. status: the object that every
    client gets every `status_s`. delay_s: until a command is executed and answered.
    Attributes: port, commands (all that were understood, in order, the latest 1000), clients (how many are served).
    Raises ReceiverError when the port cannot be bound.
    """

    def __init__(
        self, host: str, port: int, execute: Callable[[dict[str, Any]], None], status: Callable[[], dict[str, Any]],
        status_s: float = 0.5, delay_s: float = 0.0,
    ) -> None:  # fmt: skip
        if not 0 < status_s <= 3600 or not 0 <= delay_s <= 3600:
            raise ReceiverError(
                f"expected a status every 3600 s at most and a delay of 0 to 3600 s, found {status_s:g} and {delay_s:g}"
            )
        super().__init__(host, port, "krakensdr-control")
        self._execute, self._status, self._status_s, self._delay_s = execute, status, status_s, delay_s
        self.commands: list[dict[str, Any]] = []
        self._threads: list[threading.Thread] = []

    @property
    def clients(self) -> int:
        """How many are served."""
        return sum(t.is_alive() for t in self._threads)

    def _run(self) -> None:
        while not self._end.is_set():
            with suppress(OSError):
                connection, _ = self._listener.accept()
                self._threads = [t for t in self._threads if t.is_alive()]
                if len(self._threads) >= _CLIENTS:
                    connection.close()
                    continue
                thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self._threads.append(thread)
                thread.start()
        for thread in self._threads:
            thread.join(_SEND_S)

    def _serve(self, connection: socket.socket) -> None:
        text, due = b"", time.monotonic()
        with connection, suppress(OSError):
            while not self._end.is_set():
                if time.monotonic() >= due:
                    self._send(connection, self._status())
                    due = time.monotonic() + self._status_s
                connection.settimeout(min(TICK_S, max(1e-3, due - time.monotonic())))
                try:
                    heard = connection.recv(1 << 12)
                except TimeoutError:
                    continue
                if not heard:
                    return
                try:
                    objects, text = split_objects(text + heard)
                except ValueError as error:  # where the next one begins, nobody knows
                    self._send(connection, _refusal(error))
                    return
                for part in objects:
                    self._send(connection, self._answer(part))

    def _answer(self, text: bytes) -> dict[str, Any]:
        try:
            command = parse_json(text)
            self._end.wait(self._delay_s)
            self._execute(command)
        except (ValueError, ReceiverError) as error:
            return _refusal(error)
        self.commands = [*self.commands[-999:], command]
        return {"status": "success"}

    def _send(self, connection: socket.socket, message: dict[str, Any]) -> None:
        connection.settimeout(_SEND_S)
        connection.sendall(json.dumps(message, allow_nan=False).encode() + b"\n")


def _refusal(error: Exception) -> dict[str, Any]:
    return {"status": "error", "message": one_line(error)}


def number_of(command: dict[str, Any], key: str, low: float, high: float) -> float:
    """A number of a command. Raises ReceiverError unless it is one, from `low` to `high`."""
    value = command.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise ReceiverError(f"expected {key} from {low:g} to {high:g}, found {shown(value)}")
    return float(value)

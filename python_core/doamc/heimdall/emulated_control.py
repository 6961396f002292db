"""Control server of the emulator: takes every command of the protocol and remembers what was set."""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

from doamc.heimdall.control import COMMANDS, MESSAGE_SIZE, REPLY
from doamc.heimdall.listen import listen

_TICK_S = 0.1


class ControlServer:
    """Answers commands in a thread of its own, one client at a time.

    Attributes: port, frequency_hz, gains_db (list of M), agc, squelch, commands (of all clients, in order).
    on_tuned: called when the frequency was set. Raises ReceiverError when the port cannot be bound.
    """

    def __init__(self, host: str, port: int, n_channels: int, frequency_hz: float) -> None:
        self._listener = listen(host, port)
        self._listener.settimeout(_TICK_S)
        self.port: int = self._listener.getsockname()[1]
        self.frequency_hz, self.gains_db = float(frequency_hz), [0.0] * n_channels
        self.agc, self.squelch = False, 0.0
        self.commands: list[str] = []
        self.on_tuned: Callable[[], None] = lambda: None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heimdall-control", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End and free the port."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(2.0)
        self._listener.close()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue
            with connection, suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(_TICK_S)
        message = b""
        while not self._end.is_set():
            try:
                part = connection.recv(MESSAGE_SIZE - len(message))
            except TimeoutError:
                continue
            if not part:
                return
            message += part
            if len(message) < MESSAGE_SIZE:
                continue
            if message[:4] not in COMMANDS:
                return
            self._do(message[:4], message[4:])
            if message[:4] == b"EXIT":
                return
            connection.sendall(REPLY.ljust(MESSAGE_SIZE, b"\0"))
            message = b""

    def _do(self, command: bytes, payload: bytes) -> None:
        self.commands.append(command.decode().strip())
        if command == b"FREQ":
            self.frequency_hz = float(struct.unpack_from("<Q", payload)[0])
            self.on_tuned()
        elif command == b"GAIN":
            count = len(self.gains_db)
            self.gains_db = [g / 10 for g in struct.unpack_from(f"<{count}I", payload)]
            self.agc = False
        elif command == b"AGC ":
            self.agc = True
        elif command == b"STHU":
            self.squelch = float(struct.unpack_from("<f", payload)[0])

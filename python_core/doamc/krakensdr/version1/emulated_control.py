"""Control server of the emulator: takes every command of the protocol, and forgives as little as the original.

What one read brings is one message, however long: the vendor's own client sends 95 bytes for ``AGC ``. A command that
is too short, or one of too high a frequency, and a connection that is reset end the server for good. Gains that are no
steps of the tuner are confirmed and ignored.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from doamc.krakensdr.gains import STEPS
from doamc.krakensdr.listener import TICK_S, Listener
from doamc.krakensdr.version1.control import COMMANDS, MAX_FREQUENCY_HZ, MESSAGE_SIZE, REPLY


class ControlServer(Listener):
    """Answers commands in a thread of its own, one client at a time.

    delay_s: until a command takes effect and is confirmed.
    Attributes: port, frequency_hz, gains_db (list of M), agc, squelch, commands (of all clients, in order), serving
    (whether a client is), ended (what a client did that ended it, or None).
    on_tuned: called when the frequency was set. Raises ReceiverError when the port cannot be bound.
    """

    def __init__(self, host: str, port: int, n_channels: int, frequency_hz: float, delay_s: float = 0.0) -> None:
        super().__init__(host, port, "heimdall-control")
        self.frequency_hz, self.gains_db = float(frequency_hz), [0.0] * n_channels
        self.agc, self.squelch, self.delay_s = False, 0.0, delay_s
        self.commands: list[str] = []
        self.serving = False
        self.ended: str | None = None
        self.on_tuned: Callable[[], None] = lambda: None

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                continue
            self.serving = True
            with connection:
                self._serve(connection)
            self.serving = False
            if self.ended:
                self._listener.close()
                return

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(TICK_S)
        while not self._end.is_set():
            try:
                message = connection.recv(MESSAGE_SIZE)
            except TimeoutError:
                continue
            except OSError as error:
                self.ended = f"a client left without reading its reply ({error})"
                return
            if message:
                self.commands.append(message[:4].decode("ascii", "replace").strip())
            if message[:4] not in COMMANDS or message[:4] == b"EXIT":
                return
            if self._end.wait(self.delay_s) or not self._do(message[:4], message[4:]):
                return
            with suppress(OSError):  # as there, the next read tells
                connection.sendall(REPLY.ljust(MESSAGE_SIZE, b"\0"))

    def _do(self, command: bytes, payload: bytes) -> bool:
        """Whether the server survives a command."""
        try:
            if command == b"FREQ":
                frequency_hz = struct.unpack_from("<Q", payload)[0]
                if frequency_hz > MAX_FREQUENCY_HZ:
                    raise ValueError(f"{frequency_hz} Hz do not fit into 32 bits")
                self.frequency_hz = float(frequency_hz)
                self.on_tuned()
            elif command == b"GAIN":
                gains = struct.unpack_from(f"<{len(self.gains_db)}I", payload)
                if all(g in STEPS for g in gains):
                    self.gains_db, self.agc = [g / 10 for g in gains], False
            elif command == b"AGC ":
                self.agc = True
            elif command == b"STHU":
                self.squelch = float(struct.unpack_from("<f", payload)[0])
        except (struct.error, ValueError) as error:
            self.ended = f"a client sent {command.decode().strip()} with a payload that cannot be read ({error})"
        return self.ended is None

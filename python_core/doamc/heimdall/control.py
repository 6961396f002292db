"""Control channel of a heimdall server: messages of 128 bytes, four ASCII letters and the payload; replies ``FNSD``."""

import math
import socket
import struct
from collections.abc import Sequence

from doamc.errors import ReceiverError

MESSAGE_SIZE = 128
REPLY = b"FNSD"
COMMANDS = (b"INIT", b"EXIT", b"FREQ", b"GAIN", b"AGC ", b"STHU")
_PAYLOAD = MESSAGE_SIZE - 4
_MAX_CHANNELS = _PAYLOAD // 4


def pack(command: bytes, payload: bytes = b"") -> bytes:
    """Message of a command. Raises ReceiverError on an unknown command or a payload above 124 bytes."""
    if command not in COMMANDS or len(payload) > _PAYLOAD:
        raise ReceiverError(
            f"expected one of {b', '.join(COMMANDS).decode()} and at most {_PAYLOAD} bytes, "
            f"found {command!r} with {len(payload)}"
        )
    return command + payload.ljust(_PAYLOAD, b"\0")


def pack_frequency(frequency_hz: float) -> bytes:
    """``FREQ``: centre frequency, Hz, rounded to 1 Hz. Raises ReceiverError unless it is positive."""
    if not (math.isfinite(frequency_hz) and 1 <= frequency_hz < 2**63):
        raise ReceiverError(f"expected a frequency in Hz above 0, found {frequency_hz}")
    return pack(b"FREQ", struct.pack("<Q", round(frequency_hz)))


def pack_gains(gains_db: Sequence[float]) -> bytes:
    """``GAIN``: gains of the M channels, dB, sent in tenths. Raises ReceiverError unless 1..31 of them, 0 to 100 dB."""
    gains = [float(g) for g in gains_db]
    if not 1 <= len(gains) <= _MAX_CHANNELS or not all(0 <= g <= 100 for g in gains):
        raise ReceiverError(f"expected 1 to {_MAX_CHANNELS} gains of 0 to 100 dB, found {gains}")
    return pack(b"GAIN", struct.pack(f"<{len(gains)}I", *(round(10 * g) for g in gains)))


def pack_squelch(threshold: float) -> bytes:
    """``STHU``: squelch threshold, passed on as it is. Raises ReceiverError unless it is finite."""
    if not math.isfinite(threshold):
        raise ReceiverError(f"expected a finite squelch threshold, found {threshold}")
    return pack(b"STHU", struct.pack("<f", threshold))


class Control:
    """Sends commands and waits for their replies; not for several threads at once.

    It connects at the first command and again after a failure, beginning with ``INIT``.
    host, port: of the control server. timeout_s: for a connection and for each reply.
    Attributes: sent (commands that were confirmed).
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 5001, timeout_s: float = 2.0) -> None:
        self._address, self._timeout_s = (host, port), timeout_s
        self._socket: socket.socket | None = None
        self.sent = 0

    def set_frequency(self, frequency_hz: float) -> None:
        """Tune all channels to a centre frequency, Hz. Raises ReceiverError, as all commands, when not confirmed."""
        self.request(pack_frequency(frequency_hz))

    def set_gains(self, gains_db: Sequence[float]) -> None:
        """Set the gain of every channel, dB."""
        self.request(pack_gains(gains_db))

    def set_agc(self) -> None:
        """Let the receivers choose their gains."""
        self.request(pack(b"AGC "))

    def set_squelch(self, threshold: float) -> None:
        """Set the squelch threshold, in the server's own measure."""
        self.request(pack_squelch(threshold))

    def request(self, message: bytes) -> bytes:
        """Send a message of 128 bytes; the payload of the reply, 124 bytes.

        Raises ReceiverError when the server is absent, does not answer in time or answers something else.
        """
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, self._timeout_s)
                self._exchange(pack(b"INIT"))
            reply = self._exchange(message)
        except OSError as error:
            self._drop()
            host, port = self._address
            cause = "no reply in time" if isinstance(error, TimeoutError) else str(error)
            text = f"expected a control server at {host}:{port}, found none that answers ({cause})"
            raise ReceiverError(text) from error
        except ReceiverError:
            self._drop()
            raise
        self.sent += 1
        return reply

    def close(self) -> None:
        """Say ``EXIT`` and close the connection; again is harmless."""
        if self._socket is not None:
            try:
                self._socket.settimeout(0.2)
                self._socket.sendall(pack(b"EXIT"))
            except OSError:
                pass  # it is being closed anyway
        self._drop()

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _exchange(self, message: bytes) -> bytes:
        assert self._socket is not None
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(message)
        reply = b""
        while len(reply) < MESSAGE_SIZE:
            part = self._socket.recv(MESSAGE_SIZE - len(reply))
            if not part:
                raise ReceiverError(f"expected a reply to {message[:4].decode()}, found the connection closed")
            reply += part
        if reply[:4] != REPLY:
            raise ReceiverError(f"expected {REPLY.decode()} in reply to {message[:4].decode()}, found {reply[:4]!r}")
        return reply[4:]

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

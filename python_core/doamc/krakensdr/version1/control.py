"""Control channel of a heimdall server: messages of 128 bytes, four ASCII letters and the payload; replies ``FNSD``.

A command takes effect with one of the next frames, and the reply comes then: seconds later while the receivers are
calibrated. The server reads nothing meanwhile.
"""

import math
import struct
from collections.abc import Sequence
from contextlib import suppress

from doamc.errors import ReceiverError
from doamc.krakensdr.control_link import ControlLink
from doamc.krakensdr.gains import nearest_gains

PORT = 5001
MESSAGE_SIZE = 128
REPLY = b"FNSD"
COMMANDS = (b"INIT", b"EXIT", b"FREQ", b"GAIN", b"AGC ", b"STHU")
_PAYLOAD = MESSAGE_SIZE - 4
_MAX_CHANNELS = _PAYLOAD // 4
#: the controller hands frequencies on in 32 bits, and ends on what does not fit, Hz
MAX_FREQUENCY_HZ = 2**32 - 1
_MAX_FLOAT = 3.4e38


def pack(command: bytes, payload: bytes = b"") -> bytes:
    """Message of a command. Raises ReceiverError on an unknown command or a payload above 124 bytes."""
    if command not in COMMANDS or len(payload) > _PAYLOAD:
        raise ReceiverError(
            f"expected one of {b', '.join(COMMANDS).decode()} and at most {_PAYLOAD} bytes, "
            f"found {command!r} with {len(payload)}"
        )
    return command + payload.ljust(_PAYLOAD, b"\0")


def pack_frequency(frequency_hz: float) -> bytes:
    """``FREQ``: centre frequency, Hz, rounded to 1 Hz. Raises ReceiverError unless it is within 1 Hz to 4.29 GHz."""
    if not (math.isfinite(frequency_hz) and 1 <= frequency_hz <= MAX_FREQUENCY_HZ):
        raise ReceiverError(f"expected a frequency of 1 to {MAX_FREQUENCY_HZ} Hz, found {frequency_hz}")
    return pack(b"FREQ", struct.pack("<Q", round(frequency_hz)))


def pack_gains(gains_db: Sequence[float]) -> bytes:
    """``GAIN``: gains of the M channels, dB, sent as the tuner's nearest steps, in tenths.

    Raises ReceiverError unless they are 1..31, of 0 to 50 dB.
    """
    gains = nearest_gains(gains_db)
    if not 1 <= len(gains) <= _MAX_CHANNELS:
        raise ReceiverError(f"expected gains of 1 to {_MAX_CHANNELS} channels, found {len(gains)}")
    return pack(b"GAIN", struct.pack(f"<{len(gains)}I", *(round(10 * g) for g in gains)))


def pack_squelch(threshold: float) -> bytes:
    """``STHU``: squelch threshold, passed on as it is. Raises ReceiverError unless a float32 holds it."""
    if not abs(threshold) <= _MAX_FLOAT:
        raise ReceiverError(f"expected a squelch threshold of at most {_MAX_FLOAT:g}, found {threshold}")
    return pack(b"STHU", struct.pack("<f", threshold))


class Control(ControlLink):
    """Commands of version 1, each on a connection that begins with ``INIT`` and ends with ``EXIT``."""

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, timeout_s: float = 2.0) -> None:
        super().__init__(host, port, timeout_s)

    def set_frequency(self, frequency_hz: float) -> None:
        """Tune all channels to a centre frequency, Hz. Raises ReceiverError, as all commands, when not confirmed."""
        self.request(pack_frequency(frequency_hz))

    def set_gains(self, gains_db: Sequence[float]) -> None:
        """Set the gain of every channel, dB, to the tuner's nearest step."""
        self.request(pack_gains(gains_db))

    def set_agc(self) -> None:
        """Let the receivers choose their gains."""
        self.request(pack(b"AGC "))

    def set_squelch(self, threshold: float) -> None:
        """Set the squelch threshold, in the server's own measure."""
        self.request(pack_squelch(threshold))

    def close(self) -> None:
        """Say ``EXIT`` and close the connection; again is harmless."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.settimeout(0.2)
                self._socket.sendall(pack(b"EXIT"))
        super().close()

    def _greet(self) -> None:
        self._send(pack(b"INIT"))

    def _take(self) -> bytes | None:
        """Payload of the reply, 124 bytes."""
        assert self._due is not None
        if len(self._come) < MESSAGE_SIZE:
            return None
        reply = bytes(self._come[:MESSAGE_SIZE])
        del self._come[:MESSAGE_SIZE]
        if reply[:4] != REPLY:
            raise ReceiverError(f"expected {REPLY.decode()} in reply to {self._named(self._due)}, found {reply[:4]!r}")
        return reply[4:]

    def _rest(self) -> None:
        if self._come:
            raise ReceiverError(f"expected silence of {self._at} between commands, found bytes")

    def _named(self, message: bytes) -> str:
        return message[:4].decode("ascii", "replace").strip()

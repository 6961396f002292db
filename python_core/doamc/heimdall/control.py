"""Control channel of a heimdall server: messages of 128 bytes, four ASCII letters and the payload; replies ``FNSD``.

A command takes effect with one of the next frames, and the reply comes then: seconds later while the receivers are
calibrated. The server reads nothing meanwhile, so a late reply is waited for on the same connection: a new one, and
the command once more, would wait behind it.
"""

import math
import socket
import struct
import time
from collections.abc import Sequence
from contextlib import suppress

from doamc.errors import ReceiverError
from doamc.heimdall.gains import nearest_gains

MESSAGE_SIZE = 128
REPLY = b"FNSD"
COMMANDS = (b"INIT", b"EXIT", b"FREQ", b"GAIN", b"AGC ", b"STHU")
_PAYLOAD = MESSAGE_SIZE - 4
_MAX_CHANNELS = _PAYLOAD // 4
#: the controller hands frequencies on in 32 bits, and ends on what does not fit, Hz
MAX_FREQUENCY_HZ = 2**32 - 1
#: a controller that has not replied for so long never will: the next command takes another connection, s
_LOST_S = 60.0


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
    """``STHU``: squelch threshold, passed on as it is. Raises ReceiverError unless it is finite."""
    if not math.isfinite(threshold):
        raise ReceiverError(f"expected a finite squelch threshold, found {threshold}")
    return pack(b"STHU", struct.pack("<f", threshold))


class Control:
    """Sends commands and waits for their replies; not for several threads at once.

    It connects at the first command and again after a failure, beginning with ``INIT``. A command whose reply does not
    come in time is an error, but its connection stays: the same command again waits on, another one waits its turn.
    host, port: of the control server. timeout_s: for a connection and for each reply.
    Attributes: sent (commands that were confirmed).
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 5001, timeout_s: float = 2.0) -> None:
        self._address, self._timeout_s = (host, port), timeout_s
        self._socket: socket.socket | None = None
        self._due: bytes | None = None  # the message whose reply has not come
        self._due_since = 0.0
        self._reply = b""  # what has come of it
        self.sent = 0

    @property
    def pending(self) -> bool:
        """Whether a command is on its way: sent, its reply not here yet."""
        return self._due is not None

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

    def request(self, message: bytes) -> bytes:
        """Send a message of 128 bytes; the payload of the reply, 124 bytes.

        Raises ReceiverError when the server is absent, does not answer in time or answers something else.
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
        """Say ``EXIT`` and close the connection; again is harmless."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.settimeout(0.2)
                self._socket.sendall(pack(b"EXIT"))
        self._drop()

    def __enter__(self) -> "Control":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def _at(self) -> str:
        host, port = self._address
        return f"{host}:{port}"

    def _connect(self) -> None:
        """Have a connection that still stands."""
        if self._socket is not None and self._due is None:
            self._socket.setblocking(False)
            with suppress(BlockingIOError):
                if self._socket.recv(1):
                    raise ReceiverError(f"expected silence of {self._at} between commands, found bytes")
                self._drop()  # closed meanwhile
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout_s)
            self._send(pack(b"INIT"))

    def _send(self, message: bytes) -> None:
        assert self._socket is not None
        self._socket.settimeout(self._timeout_s)
        self._socket.sendall(message)
        self._due, self._due_since, self._reply = message, time.monotonic(), b""

    def _await(self, timeout_s: float) -> bytes:
        """Payload of the reply that is due. Raises TimeoutError while it is not here; what came of it is kept."""
        assert self._socket is not None and self._due is not None
        command, limit = self._due[:4].decode("ascii", "replace"), time.monotonic() + timeout_s
        while len(self._reply) < MESSAGE_SIZE:
            if (left := limit - time.monotonic()) <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            part = self._socket.recv(MESSAGE_SIZE - len(self._reply))
            if not part:
                raise ReceiverError(f"expected a reply to {command} from {self._at}, found the connection closed")
            self._reply += part
        reply, self._due = self._reply, None
        if reply[:4] != REPLY:
            raise ReceiverError(f"expected {REPLY.decode()} in reply to {command}, found {reply[:4]!r}")
        return reply[4:]

    def _late(self) -> ReceiverError:
        """What a time-out means: nobody there, a reply that is still to come, or one that never will."""
        if self._due is None:
            self._drop()
            return self._none("no reply in time")
        command, waited_s = self._due[:4].decode("ascii", "replace").strip(), time.monotonic() - self._due_since
        if waited_s > _LOST_S:
            self._drop()
            return ReceiverError(f"{self._at} has not replied to {command} for {waited_s:.0f} s; connecting again")
        return ReceiverError(f"{self._at} has not replied to {command} yet (no reply in time); waiting for it")

    def _none(self, cause: str) -> ReceiverError:
        return ReceiverError(f"expected a control server at {self._at}, found none that answers ({cause})")

    def _drop(self) -> None:
        self._due = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

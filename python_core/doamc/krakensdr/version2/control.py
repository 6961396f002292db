"""Control channel of version 2: objects of JSON, one a line; replies have a key ``status``.

Twice a second the server sends, unasked, how it is: objects without that key.
"""

import json
from contextlib import suppress
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.control_link import ControlLink
from doamc.krakensdr.version2.condition import Condition
from doamc.text import reason, shown

PORT = 8092
#: what the tuner reaches, Hz, and its gains, dB
FREQUENCY_HZ, GAIN_DB = (24e6, 1766e6), (0.0, 50.0)
#: ms that a server may be asked to wait after a change
DELAY_MS = (0, 600_000)
#: bytes of a line; a longer one is none of this protocol
_LINE = 1 << 16


def pack_frequency(frequency_hz: float) -> bytes:
    """``set_frequency``, rounded to 1 Hz. Raises ReceiverError unless it is within 24 to 1766 MHz."""
    low, high = FREQUENCY_HZ
    if not low <= frequency_hz <= high:
        raise ReceiverError(f"expected a frequency of {low:g} to {high:g} Hz, found {frequency_hz}")
    return _pack(command="set_frequency", frequency=round(frequency_hz))


def pack_gain(gain_db: float) -> bytes:
    """``set_gain`` of all channels, dB; negative: automatic. Raises ReceiverError above 50 dB."""
    if not gain_db <= GAIN_DB[1]:
        raise ReceiverError(f"expected a gain of {GAIN_DB[0]:g} to {GAIN_DB[1]:g} dB, or less: auto; found {gain_db}")
    return _pack(command="set_gain", gain=max(-1.0, gain_db))


def pack_stability_delay(delay_ms: float) -> bytes:
    """``set_stability_delay``: the wait after a change. Raises ReceiverError unless it is 0 to 600 000 ms."""
    low, high = DELAY_MS
    if not low <= delay_ms <= high:
        raise ReceiverError(f"expected a stability delay of {low} to {high} ms, found {delay_ms}")
    return _pack(command="set_stability_delay", delay_ms=round(delay_ms))


class Control(ControlLink):
    """Commands of version 2, and what the server tells of itself.

    Attributes, beside those of `ControlLink`: condition (the newest, or None), told (how many came).
    """

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, timeout_s: float = 2.0) -> None:
        super().__init__(host, port, timeout_s)
        self.condition: Condition | None = None
        self.told = 0

    def set_frequency(self, frequency_hz: float) -> None:
        """Tune all channels to a centre frequency, Hz. Raises ReceiverError, as all commands, when it is refused."""
        self.request(pack_frequency(frequency_hz))

    def set_gain(self, gain_db: float) -> None:
        """Set the gain of all channels, dB; negative: automatic."""
        self.request(pack_gain(gain_db))

    def set_stability_delay(self, delay_ms: float) -> None:
        """Set how long the server waits after a change, ms."""
        self.request(pack_stability_delay(delay_ms))

    def request(self, message: bytes) -> None:
        """Send a command. Raises ReceiverError when the server is absent, refuses it or does not reply in time."""
        reply = super().request(message)
        if reply["status"] != "success":
            cause = reason(reply.get("message") or reply["status"])
            raise ReceiverError(f"{self._at} refused {self._named(message)}: {cause}")

    def listen(self) -> None:
        """Take in what came, and connect where there is no connection, without waiting for anything else.

        Raises ReceiverError when there is no server, or it sends what is none of this protocol.
        """
        try:
            self._connect()
        except (OSError, ValueError) as error:
            self._drop()
            raise self._none(str(error)) from error
        except ReceiverError:
            self._drop()
            raise

    def _take(self) -> dict[str, Any] | None:
        """The reply, an object with key ``status``."""
        while (found := self._line()) is not None:
            if "status" in found:
                return found
            self._note(found)
        return None

    def _rest(self) -> None:
        while (found := self._line()) is not None:
            if "status" not in found:  # else a reply to nobody
                self._note(found)

    def _note(self, found: dict[str, Any]) -> None:
        self.condition = Condition.parse(found)
        self.told += 1

    def _line(self) -> dict[str, Any] | None:
        """The next object that is whole."""
        while (end := self._come.find(b"\n")) >= 0:
            line = bytes(self._come[:end])
            del self._come[: end + 1]
            if not line.strip():
                continue
            found: Any = None
            with suppress(ValueError, RecursionError):
                found = json.loads(line)
            if not isinstance(found, dict):
                raise ReceiverError(f"expected lines of JSON objects from {self._at}, found {shown(line)}")
            return found
        if len(self._come) > _LINE:
            raise ReceiverError(f"expected lines of at most {_LINE} bytes from {self._at}, found a longer one")
        return None

    def _named(self, message: bytes) -> str:
        return str(json.loads(message)["command"])


def _pack(**command: Any) -> bytes:
    return json.dumps(command).encode() + b"\n"

"""Settings by version 2's control server, which tells twice a second how the receiver is set."""

import json
import time
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.controller import AUTOMATIC, Controller
from doamc.krakensdr.gains import nearest_gains
from doamc.krakensdr.version2.control import PORT, Control, pack_frequency, pack_gain, pack_stability_delay
from doamc.text import one_line

#: how long a reply is waited for between two looks at what else is to be done, s
_REPLY_S = 1.0
#: conditions after which what was confirmed but does not show in them counts as refused
_CONDITIONS = 10
#: an absent server is tried again after so long, s
_ABSENT_S = 1.0
#: a frequency may be told in single precision; gains in dB
_SAME_FREQUENCY, _SAME_GAIN_DB, _SAME_RATE_HZ = 1e-7, 0.05, 1.0


class SuiteController(Controller):
    """Sends commands, reads how the receiver is, and looks there for what was confirmed.

    host, port: of the control server. sample_rate_hz: that the samples are taken to have; it is an error, told once,
    when the receiver tells another.
    """

    version, period_s = 2, 0.25

    def __init__(self, host: str = "127.0.0.1", port: int = PORT, sample_rate_hz: float | None = None) -> None:
        self._rate_hz = sample_rate_hz
        self._control = Control(host, port, _REPLY_S)
        self._wanted: dict[str, tuple[float, int]] = {}  # confirmed values, and how many conditions had come
        self._absent: str | None = None  # why nothing is told
        self._again = 0.0  # when an absent server is tried again

    @property
    def pending(self) -> bool:
        """Whether a command is on its way."""
        return self._control.pending

    @property
    def news(self) -> dict[str, Any]:
        """The newest condition; ``control`` where none comes any more: why."""
        condition = self._control.condition
        told = {} if condition is None else condition.as_dict()
        return told if self._absent is None else told | {"control": self._absent}

    def message(self, name: str, value: Any) -> bytes:
        """The line of a setting."""
        if name == "frequency_hz":
            return pack_frequency(value)
        if name == "stability_delay_ms":
            return pack_stability_delay(value)
        if name != "gain_db":
            raise ReceiverError(f"expected settings that version 2 of the server has, found {name}")
        if value == AUTOMATIC:
            return pack_gain(-1.0)
        if len(set(value)) != 1:
            raise ReceiverError(f"expected one gain for all channels of version 2, found {list(value)}")
        return pack_gain(*nearest_gains(value[:1]))

    def send(self, name: str, message: bytes) -> None:
        """Send a command until it is confirmed."""
        self._control.request(message)
        self._wanted.pop(name, None)
        value = json.loads(message).get({"frequency_hz": "frequency", "gain_db": "gain"}.get(name))
        if value is not None and value >= 0:  # how automatic gain is told is not known
            self._wanted[name] = value, self._control.told

    def look(self) -> None:
        """Read what came, and compare what was confirmed with it; that nobody tells anything is news, but no error."""
        if time.monotonic() < self._again:
            return
        try:
            self._control.listen()
            self._absent, self._again = None, 0.0
        except ReceiverError as error:
            self._absent, self._again = one_line(error), time.monotonic() + _ABSENT_S
        condition = self._control.condition
        told_hz = None if condition is None else condition.sample_rate_hz
        if self._rate_hz is not None and told_hz is not None and abs(told_hz - self._rate_hz) > _SAME_RATE_HZ:
            wanted_hz, self._rate_hz = self._rate_hz, None
            raise ReceiverError(f"expected {wanted_hz:g} samples a second, found {told_hz:g}; give the sample rate")
        for name, (value, before) in list(self._wanted.items()):
            found = None if condition is None else getattr(condition, name)
            if self._control.told == before:
                continue
            same = _SAME_FREQUENCY * value if name == "frequency_hz" else _SAME_GAIN_DB
            if found is not None and abs(found - value) <= same:
                del self._wanted[name]
            elif self._control.told >= before + _CONDITIONS:
                del self._wanted[name]
                raise ReceiverError(f"expected {name} {value:g} in what the server tells, as confirmed, found {found}")

    def close(self) -> None:
        """Take leave of the server."""
        self._control.close()

"""Settings by version 1's control server, whose frames show the gains."""

import struct
from collections.abc import Sequence
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.controller import AUTOMATIC, Controller
from doamc.krakensdr.version1.control import PORT, Control, pack, pack_frequency, pack_gains, pack_squelch
from doamc.krakensdr.version1.heimdall import Heimdall

#: how long a reply is waited for between two looks at what else is to be done, s
_REPLY_S = 1.0
#: good frames after which gains that were confirmed but do not show in them count as refused
_FRAMES = 16


class HeimdallController(Controller):
    """Sends commands, and looks for gains in the frames that follow.

    n_channels: channels M. session: its frames show the gains. host, port: of the control server.
    """

    version = 1

    def __init__(self, n_channels: int, session: Heimdall, host: str = "127.0.0.1", port: int = PORT) -> None:
        self._n, self._session = n_channels, session
        self._control = Control(host, port, _REPLY_S)
        self._gains: tuple[tuple[float, ...], int] | None = None  # confirmed, dB, and how many frames had passed

    @property
    def pending(self) -> bool:
        """Whether a command is on its way."""
        return self._control.pending

    def message(self, name: str, value: Any) -> bytes:
        """The 128 bytes of a setting."""
        if name == "frequency_hz":
            return pack_frequency(value)
        if name == "squelch":
            return pack_squelch(value)
        if name != "gain_db":
            raise ReceiverError(f"expected settings that version 1 of the server has, found {name}")
        return pack(b"AGC ") if value == AUTOMATIC else pack_gains(self._gains_of(value))

    def send(self, name: str, message: bytes) -> None:
        """Send a command until it is confirmed."""
        self._control.request(message)
        if name == "gain_db":
            self._gains = None
            if message.startswith(b"GAIN"):
                gains = struct.unpack_from(f"<{self._n}I", message, 4)
                self._gains = tuple(g / 10 for g in gains), self._session.counters.passed

    def look(self) -> None:
        """Compare gains that were confirmed with frames that came later."""
        header = self._session.header
        if self._gains is None or header is None or not header.usable:
            return
        wanted, before = self._gains
        if header.gains_db == wanted:
            self._gains = None
        elif self._session.counters.passed >= before + _FRAMES:
            self._gains = None
            raise ReceiverError(
                f"expected gains of {list(wanted)} dB in the frames, as confirmed, found {list(header.gains_db)}: the "
                "controller did not take them, or takes one for all channels (unified_gain_control)"
            )

    def close(self) -> None:
        """Take leave of the server."""
        self._control.close()

    def _gains_of(self, gains: Sequence[float]) -> list[float]:
        if len(gains) not in (1, self._n):
            raise ReceiverError(f"expected one gain or {self._n}, found {len(gains)}")
        return [*gains] * (self._n if len(gains) == 1 else 1)

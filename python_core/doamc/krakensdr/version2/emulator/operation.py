"""What the emulated control server is asked for, and what it tells of the receiver twice a second."""

import math
from typing import Any, Protocol

from doamc.errors import ReceiverError
from doamc.krakensdr.version2.control import DELAY_MS, FREQUENCY_HZ, GAIN_DB
from doamc.krakensdr.version2.emulator.control import number_of
from doamc.krakensdr.version2.emulator.replay import Replay
from doamc.krakensdr.version2.emulator.stream import Stream
from doamc.krakensdr.version2.emulator.tuner import Condition
from doamc.text import shown


class Operated(Protocol):
    """A receiver: one that is emulated, or a recording of one."""

    coherence_events: int

    @property
    def condition(self) -> Condition:
        """The latest."""

    def tune(self, frequency_hz: float) -> None:
        """Change the frequency."""

    def set_gain(self, gain_db: float) -> None:
        """Change the gain."""

    def set_cooling(self, cooling_s: float) -> None:
        """Change the time that it cools down."""


def execute(receiver: Operated, command: dict[str, Any]) -> None:
    """Do what a control client asks for. Raises ReceiverError on anything else, or where the receiver refuses it."""
    name = command.get("command")
    if name == "set_frequency":
        receiver.tune(number_of(command, "frequency", *FREQUENCY_HZ))
    elif name == "set_gain":
        receiver.set_gain(number_of(command, "gain", -math.inf, GAIN_DB[1]))
    elif name == "set_stability_delay":
        receiver.set_cooling(number_of(command, "delay_ms", *DELAY_MS) / 1e3)
    else:
        raise ReceiverError(f"expected one of set_frequency, set_gain, set_stability_delay, found {shown(name)}")


def status(receiver: Operated, stream: Stream | Replay) -> dict[str, Any]:
    """The object that every client gets unasked."""
    now, n = receiver.condition, stream.n_channels
    return {
        "settings": {
            "center_freq": now.frequency_hz, "gain": now.gain_db, "sample_rate": stream.rate_hz, "rtl_tcp_channel": 0,
        },
        "num_channels": n, "operating_mode": "coherent", "cooldown_active": now.cooling_s > 0,
        "cooldown_remaining_ms": round(1e3 * now.cooling_s),
        "channel_comp": [{"amp_db": 0.0, "phase_deg": round(-float(p), 3)} for p in stream.phases_deg[:n]],
        "coherence_events": receiver.coherence_events, "recovering": now.recovering,
    }  # fmt: skip

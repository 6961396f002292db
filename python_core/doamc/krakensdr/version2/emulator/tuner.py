"""Tuner and calibration of the emulated receiver: which state it is in at which time of the stream.

After the start the phases are measured with the noise source on; after a change of frequency or gain, the receiver
cools down first. All times are of the stream, in seconds of samples, so that nothing depends on how busy the computer
is.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

from doamc.errors import ReceiverError
from doamc.krakensdr.version2.emulator.pack import APPLYING, CONVERGED, COOLING, MEASURING, VERIFYING, WAITING

_LONGEST_S = 3600.0
#: sums of times are the same only so far, s
_ROUNDING_S = 1e-9


@dataclass(frozen=True)
class Times:
    """How long each state lasts, s of stream: 0 to 3600, 0 leaves it out. Raises ReceiverError beyond."""

    retuning: float = 0.1
    cooling: float = 3.0
    waiting: float = 0.5
    measuring: float = 1.0
    applying: float = 0.2
    verifying: float = 0.5

    def __post_init__(self) -> None:
        for known in fields(self):
            value = getattr(self, known.name)
            if not 0 <= value <= _LONGEST_S:
                raise ReceiverError(f"expected 0 to {_LONGEST_S:g} s for {known.name}, found {value:g}")


@dataclass(frozen=True)
class Condition:
    """The receiver at a time.

    phase: of the calibration. noise_source, retuning: whether on. changes: changes of frequency so far.
    cooling_s: how long it still cools down. recovering: whether it calibrates anew because coherence was lost.
    """

    phase: int
    noise_source: bool
    retuning: bool
    changes: int
    frequency_hz: float
    gain_db: float
    cooling_s: float = 0.0
    recovering: bool = False


class Tuner:
    """State of the receiver over the time of the stream; orders may come from any thread.

    frequency_hz, gain_db: at the start; a negative gain is automatic.
    Attributes: condition (the latest), coherence_events (how often coherence was lost).
    """

    def __init__(self, times: Times, frequency_hz: float, gain_db: float = 20.0) -> None:
        self._times, self._lock = times, threading.Lock()
        self._orders: list[Callable[[], None]] = []
        self._tuned_hz, self._gain_db = frequency_hz, gain_db
        self._begin(0.0)

    def _begin(self, time_s: float) -> None:
        self._time_s = self._since_s = time_s
        self._old_hz, self._counter, self._recovering = self._tuned_hz, 0, False
        self.coherence_events = 0
        self._steps = self._calibration()
        self.condition = self._now()

    def tune(self, frequency_hz: float) -> None:
        """Change the frequency, with the next packet: the counter goes up at once, the frequency after retuning."""
        self._order(lambda: self._tune(frequency_hz))

    def set_gain(self, gain_db: float) -> None:
        """Change the gain, with the next packet."""
        self._order(lambda: self._set_gain(gain_db))

    def set_cooling(self, cooling_s: float) -> None:
        """How long it cools down after the next changes, s."""
        self._order(lambda: self._set_cooling(cooling_s))

    def lose_coherence(self) -> None:
        """Measure the phases anew, as after an event that shifted them."""
        self._order(self._lose_coherence)

    def restart(self, time_s: float) -> None:
        """Begin anew, at a time of the stream, as a server that was started again: what was set before is kept."""
        with self._lock:
            self._orders.clear()
            self._begin(time_s)

    def at(self, time_s: float) -> Condition:
        """Condition at a time of the stream, s, which never runs backwards; what was ordered takes effect."""
        with self._lock:
            self._time_s = time_s
            for order in self._orders:
                order()
            self._orders.clear()
            self.condition = self._now()
        return self.condition

    def _order(self, order: Callable[[], None]) -> None:
        with self._lock:
            self._orders.append(order)

    def _tune(self, frequency_hz: float) -> None:
        now = self._now()
        self._old_hz, self._tuned_hz, self._counter = now.frequency_hz, frequency_hz, self._counter + 1
        retuning = self._times.retuning, now.phase, now.noise_source, True
        self._change([retuning])

    def _set_gain(self, gain_db: float) -> None:
        now, self._gain_db = self._now(), gain_db
        left_s = self._since_s + self._steps[0][0] - self._time_s
        self._change([(left_s, *self._steps[0][1:])] if now.retuning else [])

    def _set_cooling(self, cooling_s: float) -> None:
        self._times = replace(self._times, cooling=cooling_s)

    def _lose_coherence(self) -> None:
        self._since_s, self._steps = self._time_s, self._calibration()[1:]
        self._old_hz, self._recovering = self._tuned_hz, True
        self.coherence_events += 1

    def _change(self, before: list[tuple[float, int, bool, bool]]) -> None:
        self._since_s, self._recovering = self._time_s, False
        self._steps = [*before, (self._times.cooling, COOLING, False, False), *self._calibration()]

    def _calibration(self) -> list[tuple[float, int, bool, bool]]:
        """Its steps: how long, phase, noise source, retuning."""
        times = self._times
        return [
            (times.waiting, WAITING, True, False), (times.measuring, MEASURING, True, False),
            (times.applying, APPLYING, True, False), (times.verifying, VERIFYING, True, False),
        ]  # fmt: skip

    def _now(self) -> Condition:
        end_s = self._since_s
        for length_s, phase, noise, retuning in self._steps:
            end_s += length_s
            if end_s - self._time_s > _ROUNDING_S:
                cooling_s = end_s - self._time_s if phase == COOLING and not retuning else 0.0
                hertz = self._old_hz if retuning else self._tuned_hz
                return Condition(
                    phase, noise, retuning, self._counter, hertz, self._gain_db, cooling_s, self._recovering
                )
        return Condition(CONVERGED, False, False, self._counter, self._tuned_hz, self._gain_db)


def check_times(times: dict[str, float]) -> Times:
    """Times by their names. Raises ReceiverError on an unknown one."""
    known = {f.name for f in fields(Times)}
    if unknown := sorted(times.keys() - known):
        raise ReceiverError(f"a time is one of {', '.join(f.name for f in fields(Times))}; found {', '.join(unknown)}")
    return Times(**times)

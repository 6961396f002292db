"""The stream of the emulated receiver: packet after packet, each by the state that the receiver is then in."""

from collections import Counter
from collections.abc import Sequence

from doamc.krakensdr.faults import Faults
from doamc.krakensdr.version2.control import FREQUENCY_HZ
from doamc.krakensdr.version2.emulator.faults import FAULTS, STATEFUL, Misbehaviour
from doamc.krakensdr.version2.emulator.parcels import Parcel
from doamc.krakensdr.version2.emulator.payloads import Payloads
from doamc.krakensdr.version2.emulator.tuner import Condition, Tuner
from doamc.krakensdr.version2.packet import CONVERGED, Header

#: how far somebody else tunes away, Hz
_AWAY_HZ = 1e6
#: gain that an automatic one has come to, dB
_AUTOMATIC_DB = 30.0


class Stream:
    """Packets with their faults.

    payloads: of the packets. tuner: the state. rate_hz: samples a second, which relates packets to time.
    Attributes: produced (packets so far, those left out among them), faulty (counts by name), n_channels: how many of
    the payloads' channels are sent, 2 at least, changed at will.
    """

    def __init__(self, payloads: Payloads, tuner: Tuner, rate_hz: float, faults: Faults) -> None:
        self.payloads, self.tuner, self.rate_hz, self.faults = payloads, tuner, rate_hz, faults
        self.n_channels = payloads.n_channels
        self.produced = 0
        self.faulty = Counter(dict.fromkeys(FAULTS, 0))
        self._misbehaviour = Misbehaviour(payloads, faults)

    @property
    def packet_s(self) -> float:
        """Signal time of a packet, s."""
        return self.payloads.n_samples / self.rate_hz

    @property
    def played_s(self) -> float:
        """Signal time of the packets so far, s."""
        return self.produced * self.packet_s

    @property
    def due_s(self) -> float:
        """Signal time at whose end the next packet is whole, s."""
        return (self.produced + 1) * self.packet_s

    @property
    def phases_deg(self) -> Sequence[float]:
        """What the channels of samples that are not calibrated are turned by."""
        return [float(p) for p in self.payloads.phases_deg]

    def next(self) -> tuple[list[Parcel], str | None]:
        """What is sent next, and the fault that was committed; nothing where the packet is left out."""
        number, self.produced = self.produced, self.produced + 1
        fault = self.faults.draw(number)
        if fault is not None:
            self.faulty[fault] += 1
        if fault == "retune":
            self.tuner.tune(self._away())
        elif fault == "incoherent":
            self.tuner.lose_coherence()
        condition = self.tuner.at(number * self.packet_s)
        if fault in ("drop", "restart"):
            return [], fault
        header = self._header(condition)
        samples = self._samples(condition, number)[: header.size - header.offset]
        done = None if fault in STATEFUL else fault
        return self._misbehaviour.parcels(header, samples, number, done), fault

    def restart(self) -> None:
        """The receiver begins anew with the next packet."""
        self.tuner.restart(self.produced * self.packet_s)

    def _away(self) -> float:
        """Another frequency, Hz."""
        now_hz = self.tuner.condition.frequency_hz
        away_hz = float(self.faults.rng.choice([-1.0, 1.0])) * _AWAY_HZ
        return now_hz + (away_hz if FREQUENCY_HZ[0] <= now_hz + away_hz <= FREQUENCY_HZ[1] else -away_hz)

    def _header(self, condition: Condition) -> Header:
        m, gain_db = self.n_channels, condition.gain_db if condition.gain_db >= 0 else _AUTOMATIC_DB
        return Header(
            m, self.payloads.n_samples, condition.phase, condition.noise_source, condition.changes, 0,
            condition.retuning, m * (condition.frequency_hz,), m * (gain_db,),
        )  # fmt: skip

    def _samples(self, condition: Condition, number: int) -> memoryview:
        calibrated = condition.phase == CONVERGED and not condition.retuning
        loop = self.payloads.antennas if calibrated else self.payloads.uncalibrated
        if condition.noise_source:
            loop = self.payloads.noise
        return loop[number % len(loop)].data

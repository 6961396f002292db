"""A recording sent once more, packet by packet: the same samples in the same packets, and what lay between them.

Packets that were kept back are sent with the headers that they had; their samples, which nobody kept, are noise of one
step of the converters. For what was lost, half a packet is sent, however much it was: packets have no numbers.
Where the connection was new, so it is again: the clients are left, and the stream goes on once they have come back.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from doamc.errors import ReceiverError, RecordingError
from doamc.krakensdr.replay import Stretch, stretches
from doamc.krakensdr.version2.assembler import to_bytes
from doamc.krakensdr.version2.emulator.pack import COOLING, pack
from doamc.krakensdr.version2.emulator.parcels import FRAGMENT, Parcel, packet
from doamc.krakensdr.version2.emulator.tuner import Condition
from doamc.krakensdr.version2.gate import NOT_TAKEN
from doamc.krakensdr.version2.packet import MAX_SIZE, Header
from doamc.krakensdr.version2.runs import LOST, Run, header_of
from doamc.snapshots.sigmf_files import Recording

#: in place of a fault: the clients are to connect anew
RECONNECT = "reconnect"
_REFUSAL = "expected no commands: a recording is replayed, whose receiver was set when it was made"


class Replay:
    """The stream of a recording of version 2, again and again; stands in for `Stream` and its `Tuner`.

    Attributes: n_channels, n_samples (T of the first packets), rate_hz, produced (packets so far), condition (of the
    receiver, by the packet sent last), coherence_events, faulty (none).
    Raises RecordingError when it is no such recording, ReceiverError when packets cannot hold it.
    """

    def __init__(self, recording: Recording) -> None:
        self._recording, self._stretches = recording, stretches(recording)
        if not self._stretches or self._stretches[0].packet_samples is None or not recording.sample_rate_hz:
            raise RecordingError(f"{recording.path}: expected a recording of version 2 by doamc record, found another")
        self._parts = [(self._header(s), [Run.parse(run) for run in s.between]) for s in self._stretches]
        self.rate_hz, self.n_channels = recording.sample_rate_hz, recording.n_channels
        self.n_samples = self._parts[0][0].n_samples
        if all(s.stop - s.start < head.n_samples for s, (head, _) in zip(self._stretches, self._parts, strict=True)):
            raise RecordingError(f"{recording.path}: expected a packet of {self.n_samples} samples, found fewer")
        self.phases_deg: Sequence[float] = self.n_channels * (0.0,)
        self.produced, self.coherence_events, self.faulty = 0, 0, Counter[str]()
        self._noise = np.random.default_rng(0).integers(127, 129, MAX_SIZE, np.uint8).data
        self._changes, self._sent, self._played_s = 0, self._parts[0][0], 0.0
        self._next = self._endless()
        self._ahead: tuple[list[Parcel], str | None, int] | None = None

    @property
    def condition(self) -> Condition:
        """The receiver, by the packet sent last."""
        now = self._sent
        gain_db = now.gains_db[0] if math.isfinite(now.gains_db[0]) else 0.0
        cooling_s = float(now.phase_state & 0xFF == COOLING)  # for how long, was not recorded
        return Condition(
            now.phase_state, now.noise_source, now.retuning, self._changes, now.frequencies_hz[0], gain_db, cooling_s
        )

    @property
    def played_s(self) -> float:
        """Signal time of what was sent, s."""
        return self._played_s

    @property
    def due_s(self) -> float:
        """Signal time at whose end the next packet is whole, s."""
        return self._played_s + self._look()[2] / self.rate_hz

    def next(self) -> tuple[list[Parcel], str | None]:
        """What is sent next, and `RECONNECT` in place of a fault."""
        parcels, fault, samples = self._look()
        self._ahead = None
        self._played_s += samples / self.rate_hz
        self.produced += samples > 0
        return parcels, fault

    def tune(self, frequency_hz: float) -> None:
        """Raise ReceiverError: what was received cannot be changed any more; so do the other commands."""
        raise ReceiverError(_REFUSAL)

    set_gain = set_cooling = tune

    def _look(self) -> tuple[list[Parcel], str | None, int]:
        if self._ahead is None:
            self._ahead = next(self._next)
        return self._ahead

    def _endless(self) -> Iterator[tuple[list[Parcel], str | None, int]]:
        """What is sent, a fault, and samples that it takes the time of."""
        while True:
            for stretch, (header, runs) in zip(self._stretches, self._parts, strict=True):
                if stretch.connected or not stretch.start:
                    yield [], RECONNECT, 0
                for run in runs:
                    yield from self._between(run)
                if abs(header.frequencies_hz[0] - self._sent.frequencies_hz[0]) > 1.0:
                    self._changes += 1
                t = header.n_samples
                for start in range(stretch.start, stretch.stop - t + 1, t):
                    samples = to_bytes(self._recording.read(start, t))
                    yield [self._packet(header, samples.reshape(-1).data)], None, t

    def _between(self, run: Run) -> Iterator[tuple[list[Parcel], str | None, int]]:
        if run.reason in (LOST, NOT_TAKEN) or run.header is None:
            # half a packet, but for a byte: what follows has an even number, so that no border can lie at its end
            head, count = pack(self._sent), self._sent.n_channels * self._sent.n_samples
            yield [Parcel(FRAGMENT, [head, self._noise[: count - 1]])], None, 0
            return
        self._changes += run.retuned
        size = run.header.size - run.header.offset
        for _ in range(run.packets):
            yield [self._packet(run.header, self._noise[:size])], None, run.header.n_samples

    def _packet(self, header: Header, samples: memoryview) -> Parcel:
        self._sent = replace(header, changes=self._changes)
        return packet(self._sent, [samples], self.n_channels)

    def _header(self, stretch: Stretch) -> Header:
        told: dict[str, Any] = {
            "gains_db": stretch.gains_db, "samples": stretch.packet_samples, "phase_state": stretch.sync_state,
            "frequency_hz": stretch.frequency_hz or 0.0,
        }  # fmt: skip
        return header_of(told)

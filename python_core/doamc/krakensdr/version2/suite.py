"""Session with the suite's data server: it sends to everybody who connects, and is never told anything."""

import time
from functools import partial
from typing import Any

from doamc.errors import ReceiverError
from doamc.krakensdr.link import Halt, Link
from doamc.krakensdr.session import MISMATCH, STREAMING, UNSYNCHRONISED, WAITING, Desk, Session
from doamc.krakensdr.version2.assembler import Assembler
from doamc.krakensdr.version2.clock import StreamClock
from doamc.krakensdr.version2.counters import PASSED, Counters
from doamc.krakensdr.version2.gate import NOT_TAKEN, Gate
from doamc.krakensdr.version2.packet import Header
from doamc.krakensdr.version2.scanner import Packet, Scanner

PORT, SAMPLE_RATE_HZ, SETTLING_S = 8091, 2.4e6, 4.0
#: a read waits so long before what is due is seen to, s
_TICK_S = 0.05
#: without a packet for so long, or for so many times the duration of the latest, the server counts as silent, s
_SILENT_S, _SILENT = 0.5, 3.0


class Suite(Session):
    """Version 2 of the protocol.

    n_channels: channels M expected; None takes any. timeout_s: how long no packet may come before the connection is
    given up, up to 8 times that while connections bring nothing; after half a second the state is told as ``waiting``.
    settling_s: see `Gate`. sample_rate_hz: of the receiver, which does not tell it with its samples.
    Attributes: counters, gate, rate_hz.
    """

    version, speaks_first = 2, True
    counters: Counters

    def __init__(
        self, port: int = PORT, n_channels: int | None = None, timeout_s: float = 1.5, settling_s: float = SETTLING_S,
        sample_rate_hz: float = SAMPLE_RATE_HZ,
    ) -> None:  # fmt: skip
        if not (timeout_s > 0 and 0 < port < 65536 and 0 <= settling_s <= 3600 and 0 < sample_rate_hz <= 1e9):
            raise ReceiverError(
                "expected timeout_s > 0, a port 1..65535, settling_s 0..3600 and a sample rate of 0 to 1e9 Hz, found "
                f"{timeout_s}, {port}, {settling_s} and {sample_rate_hz}"
            )
        super().__init__(port, timeout_s)
        self.counters = Counters()
        self.gate, self.rate_hz = Gate(n_channels, settling_s), float(sample_rate_hz)
        self._judged = 0  # samples, of all connections

    @property
    def heard(self) -> int:
        """Packets that came so far."""
        return sum(self.counters.packets.values())

    @property
    def news(self) -> dict[str, Any]:
        """``lost`` where the clock says that samples were lost: how many, and how sure that is."""
        lost, unsure = self.counters.lost_estimate, self.counters.lost_uncertainty
        return {"lost": f"{lost} samples of each channel, give or take {unsure}, by the clock"} if lost else {}

    def run(self, link: Link, halt: Halt, desk: Desk) -> None:
        """Take in what comes until the end."""
        connection = _Connection(self, halt, desk)
        try:
            while not halt.is_set():
                count = link.receive(connection.room(), _TICK_S)
                connection.take(count, time.monotonic())
        finally:
            connection.end(time.monotonic())

    def judge(self, header: Header) -> str | None:
        """Why a packet is kept back; None when it is good.

        What has to settle does so by the samples that come, so that the same stream is always judged alike.
        """
        reason = self.gate.judge(header, self._judged / self.rate_hz)
        self._judged += header.n_samples
        self.counters.changes = self.gate.changes
        return reason

    def patience_s(self) -> float:
        """How long the first packet of a connection may take."""
        return self.timeout_s * 2**self._doublings

    def came(self) -> None:
        """A packet came: the server is what it should be."""
        self._doublings = 0


class _Connection:
    """One connection: its place in the bytes, its clock, and the frame that grows."""

    def __init__(self, suite: Suite, halt: Halt, desk: Desk) -> None:
        self._suite, self._desk, self._counters = suite, desk, suite.counters
        self._scanner, self._clock = Scanner(), StreamClock(suite.rate_hz)
        # bound to the clock alone: a cycle would keep megabytes of every connection until the collector runs
        self._assembler = Assembler(desk.pool, halt, suite.rate_hz, partial(_unix_time, self._clock))
        self._before = suite.counters.passed_over, suite.counters.resyncs
        self._lost_before = suite.counters.lost_estimate, suite.counters.lost_uncertainty
        self._latest = time.monotonic()  # when a packet came
        self._states: list[tuple[str, str | None]] = []  # to be told
        self._losses = 0  # of the place, that the frames tell already
        self._silent_s, self._patience_s = _SILENT_S, suite.patience_s()
        self.room = self._scanner.room

    def take(self, count: int, now: float) -> None:
        """So many bytes came. Raises ReceiverError when no packet has come for too long."""
        with self._counters.lock:
            self._scanner.filled(count)
            self._counters.came += count
            for packet in self._scanner.packets(silent=not count):
                self._packet(packet, now)
            self._account(self._scanner.pending, self._clock.uncertainty_s)
        self._assembler.flush_old(now)
        self._tell()
        silence_s = now - self._latest
        if silence_s > self._patience_s:
            raise ReceiverError(f"expected packets, found none for {silence_s:.1f} s")
        if silence_s > self._silent_s:
            self._desk.tell(WAITING, f"expected packets, found none for {self._silent_s:.1f} s and more")

    def end(self, now: float) -> None:
        """The connection is over: what is whole is used, the rest was cut short."""
        with self._counters.lock:
            for packet in self._scanner.packets(silent=True):
                self._packet(packet, now)
            self._counters.cut_short += self._scanner.pending
            self._account(0, self._clock.found_s)
        self._assembler.flush()
        self._tell()

    def _packet(self, packet: Packet, now: float) -> None:
        header, assembler = packet.header, self._assembler
        self._suite.came()
        if self._scanner.losses > self._losses:  # of how many packets, nobody knows
            assembler.missing(1 if self._clock.samples else 0)
            self._losses = self._scanner.losses
        self._latest = now
        duration_s = header.n_samples / self._suite.rate_hz
        self._silent_s = max(_SILENT_S, _SILENT * duration_s)
        self._patience_s = max(self._suite.timeout_s, _SILENT * duration_s)
        sample = self._clock.samples
        lost_s = self._clock.see(now, header.n_samples)
        if lost_s:
            assembler.missing(max(1, round(lost_s / duration_s)))
        fate = self._suite.judge(header)
        if fate is None and not assembler.add(packet, sample, now):
            fate = NOT_TAKEN
        self._counters.packet(fate or PASSED, header.size)
        if fate is not None:
            assembler.leave_out(fate, header, self._suite.gate.changed, lost=fate == NOT_TAKEN)
        state = MISMATCH if fate == "wrong_channels" else STREAMING if fate in (None, NOT_TAKEN) else UNSYNCHRONISED
        if self._states and self._states[-1][0] == state:
            self._states.pop()
        self._states.append((state, None if state == STREAMING else self._suite.gate.why))

    def _tell(self) -> None:
        """Tell the states that packets showed, now that all of them are counted."""
        for state, remark in self._states:
            self._desk.tell(state, remark)
        self._states.clear()

    def _account(self, pending: int, uncertainty_s: float) -> None:
        counters, scanner, rate_hz = self._counters, self._scanner, self._suite.rate_hz
        counters.pending = pending
        counters.passed_over, counters.resyncs = (
            before + now for before, now in zip(self._before, (scanner.passed_over, scanner.losses), strict=True)
        )
        counters.lost_estimate = self._lost_before[0] + round(self._clock.lost_s * rate_hz)
        counters.lost_uncertainty = self._lost_before[1] + round(uncertainty_s * rate_hz)


def _unix_time(clock: StreamClock, sample: int) -> float:
    """Unix time of a sample of the stream, s."""
    return time.time() - time.monotonic() + clock.time_of(sample)

"""Packets into frames: bytes into complex samples, and short packets that follow each other into one frame."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from doamc.krakensdr.frame import Frame
from doamc.krakensdr.link import Halt
from doamc.krakensdr.pool import Buffer, Pool
from doamc.krakensdr.version2.packet import SAMPLES, Header, as_meant
from doamc.krakensdr.version2.runs import Runs
from doamc.krakensdr.version2.scanner import Packet

#: full scale: (255 - 0) / 2
_SCALE = np.float32(1 / 127.5)
#: parts of a step that a mean is told in: float32 holds 255 steps of so many without rounding
FINENESS = 4096
#: memory of the frames that wait, bytes: 0.7 s of five channels
_MEMORY = 1 << 26
#: a frame is handed on when it has so many samples, or is so old, s
_ENOUGH, _OLD_S = 1 << 15, 0.02


def to_complex(samples: NDArray[np.uint8], out: NDArray[np.complex64]) -> None:
    """Samples (M, 2 T) uint8, I and Q in turn, as (M, T) complex64: each channel's mean removed, 127.5 becoming 1.

    The mean is taken in whole parts of `FINENESS`, so that all the steps of a packet are known from its samples again.
    """
    pairs, parts = samples.view("<u2"), out.view(np.float32)
    sums = np.stack([(pairs & 255).sum(1, dtype=np.int64), (pairs >> 8).sum(1, dtype=np.int64)], 1)
    mean = ((2 * FINENESS * sums + pairs.shape[1]) // (2 * pairs.shape[1])).astype(np.float32) / np.float32(FINENESS)
    parts[...] = samples
    out -= mean.view(np.complex64)
    parts *= _SCALE


def to_bytes(samples: NDArray[np.complex64]) -> NDArray[np.uint8]:
    """Samples (M, T) that `to_complex` made of one packet as bytes (M, 2 T) that it makes the same samples of.

    They may differ by a whole number of steps from those that came: the mean is lost. It is taken to be 127.5.
    """
    m, t = samples.shape
    parts = np.ascontiguousarray(samples).view(np.float32).reshape(m, t, 2)
    fine = np.rint(parts * np.float32(127.5 * FINENESS))
    below = np.mod(-fine[:, :1], FINENESS)  # what the mean exceeds a whole step by
    steps = (fine + below) / FINENESS + np.rint(127.5 - below / FINENESS)
    steps -= np.minimum(steps.min(1, keepdims=True), 0)
    steps -= np.maximum(steps.max(1, keepdims=True) - 255, 0)
    return np.clip(np.rint(steps), 0, 255).astype(np.uint8).reshape(m, 2 * t)


class Assembler:
    """Puts packets that pass into frames, and the frames into the pool.

    sample_rate_hz: Hz. time_of: Unix time of a sample, by its number among all that came on this connection.
    """

    def __init__(self, pool: Pool, halt: Halt, sample_rate_hz: float, time_of: Callable[[int], float]) -> None:
        self._pool, self._halt, self._rate_hz, self._time_of = pool, halt, sample_rate_hz, time_of
        self._buffer: Buffer | None = None
        self._out = np.empty((0, 0), np.complex64)
        self._count = self._sample = 0  # samples of the frame, and the number of its first
        self._header: Header | None = None  # of its first packet
        self._since = 0.0
        self._first, self._gap, self._lost = True, True, 0  # what the next frame will tell
        self._kept_back: dict[str, int] = {}
        self._runs = Runs()

    def add(self, packet: Packet, sample: int, now: float) -> bool:
        """Take in a packet, by the number of its first sample; False when nobody takes frames: no memory is left."""
        header = packet.header
        if self._header is not None and not self._fits(header):
            self.flush()
        if self._header is None and not self._begin(header, sample, now):
            return False
        stop = self._count + header.n_samples
        to_complex(packet.samples, self._out[:, self._count : stop])
        self._count = stop
        return True

    def leave_out(self, reason: str, header: Header, retuned: bool, lost: bool = False) -> None:
        """A packet lies between what came and what comes; retuned: see `Runs`. lost: it was good."""
        self._interrupt(int(lost))
        self._kept_back[reason] = self._kept_back.get(reason, 0) + 1
        self._runs.keep_back(reason, header, retuned)

    def missing(self, packets: int) -> None:
        """So many packets, as far as is known, lie between what came and what comes."""
        self._interrupt(packets)
        self._runs.lose(packets)

    def flush_old(self, now: float) -> None:
        """Hand on the frame when it is long enough, or old."""
        if self._count >= _ENOUGH or now >= self._since + _OLD_S:
            self.flush()

    def flush(self) -> None:
        """Hand on the frame, if there is one."""
        header, buffer, self._header, self._buffer = self._header, self._buffer, None, None
        if header is None or buffer is None:
            return
        frame = Frame(
            self._out[:, : self._count], self._time_of(self._sample), as_meant(header.frequencies_hz[0]), self._rate_hz,
            tuple(as_meant(g) for g in header.gains_db), header.phase_state & 0xFF, first=self._first, gap=self._gap,
            lost=self._lost, kept_back=self._kept_back, between=self._runs.take(), packet_samples=header.n_samples,
        )  # fmt: skip
        self._first, self._gap, self._lost, self._kept_back = False, False, 0, {}
        self._pool.put(frame, buffer)

    def _interrupt(self, lost: int) -> None:
        self.flush()
        self._gap = True
        self._lost += lost

    def _fits(self, header: Header) -> bool:
        """Whether a packet continues the frame."""
        assert self._header is not None
        last = self._header
        same = (header.frequencies_hz, header.gains_db) == (last.frequencies_hz, last.gains_db)
        return same and header.n_samples == last.n_samples and self._count + header.n_samples <= SAMPLES[1]

    def _begin(self, header: Header, sample: int, now: float) -> bool:
        size = 8 * header.n_channels * SAMPLES[1]
        buffer = self._pool.take(max(2, _MEMORY // size), self._halt, wait=False)
        if buffer is None:
            return False
        if len(buffer.data) != size:
            buffer.data = bytearray(size)
        self._out = np.frombuffer(buffer.data, np.complex64).reshape(header.n_channels, SAMPLES[1])
        self._buffer, self._header, self._sample, self._since, self._count = buffer, header, sample, now, 0
        return True

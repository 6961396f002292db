"""Samples of an array as they lie in a capture: segments of one frequency without a gap, cut into batches.

A receiver that is tuned anew, or that loses samples, begins a new segment. A batch lies within one segment: it has one
frequency, and its snapshots follow each other in time.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError

#: what a batch may hold, samples of all channels together: 256 MiB as double precision takes it
MAX_BATCH_SAMPLES = 1 << 24
#: batches that one input may be cut into
MAX_BATCHES = 10**7
#: blocks that begin within so many lengths of each other are read at once: one request of a file far away, not many
_NEAR = 1.25


@dataclass(frozen=True)
class Segment:
    """Samples start <= k < stop of a capture, received at one frequency and without a gap.

    frequency_hz: centre frequency, or None. begins_s: stream time of the first sample, s after the first of the
    capture, gaps included; None without a sample rate. time: Unix time of the first sample, s, or None. place: where it
    was received, latitude and longitude, degrees, or None.
    """

    start: int
    stop: int
    frequency_hz: float | None = None
    begins_s: float | None = None
    time: float | None = None
    place: tuple[float, float] | None = None


class Capture(ABC):
    """Samples of N channels, in order; they stay in their file until they are read.

    Attributes: path, n_channels, n_samples (per channel), sample_rate_hz (None where it is not told), segments
    (ascending, without overlap, together all samples), array (name of its specification or None), remarks (lines that
    a user should read once).
    """

    path: Path
    n_channels: int
    n_samples: int
    sample_rate_hz: float | None
    segments: list[Segment]
    array: str | None = None

    def __init__(self) -> None:
        self.remarks: list[str] = []
        self._ends: tuple[tuple[int, int], NDArray[np.int64]] = (0, 0), np.zeros(0, np.int64)

    @abstractmethod
    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""

    @property
    def positions_m(self) -> NDArray[np.float64] | None:
        """Positions (N, 3) of the channels' antennas, m, where a capture tells them. May raise RecordingError."""
        return None

    @property
    def frequency_hz(self) -> float | None:
        """Centre frequency of the first segment."""
        return self.segments[0].frequency_hz

    def starts(self, batches: int, n_snapshots: int) -> NDArray[np.int64]:
        """First samples (B,) of blocks of L samples, evenly spaced, without overlap, each within one segment.

        Within a segment they run from its first sample to its last. Raises RecordingError when so many do not fit.
        """
        if batches < 1 or n_snapshots < 1:
            raise RecordingError(f"expected B >= 1 blocks of L >= 1 snapshots, found B = {batches}, L = {n_snapshots}")
        check_sizes(str(self.path), batches, self.n_channels, n_snapshots)
        if batches > self.capacity(n_snapshots):
            found = f"{self.n_samples}"
            if len(self.segments) > 1:
                found += f" in {len(self.segments)} captures, which hold {self.capacity(n_snapshots)} whole ones"
            raise RecordingError(
                f"{self.path}: expected at least {batches} x {n_snapshots} samples, found {found}; "
                "ask for fewer batches or snapshots"
            )
        return self.starts_within(range(batches), batches, n_snapshots)

    def starts_within(self, some: range, batches: int, n_snapshots: int) -> NDArray[np.int64]:
        """Those of `starts` that have these numbers, in memory for these alone; B must fit (`capacity`)."""
        first, stop = self._borders
        room = np.cumsum((stop - first) // n_snapshots)
        # of all places where a block could lie, take B evenly spaced ones; then space those of a segment evenly
        spread = float(room[-1] - 1) / max(1, batches - 1)
        number = np.arange(some.start, some.stop, some.step)
        segment = np.searchsorted(room, np.floor(spread * number + 1e-9).astype(np.int64), side="right")
        asked = (batches, n_snapshots)
        if self._ends[0] != asked:  # first number beyond each segment
            numbers = range(batches)
            found = [bisect_left(numbers, int(r), key=lambda k: math.floor(spread * k + 1e-9)) for r in room]
            self._ends = asked, np.array(found)
        ends = self._ends[1]
        count = np.diff(ends, prepend=0)
        rank = number - (ends - count)[segment]
        step = (stop - first - n_snapshots) / np.maximum(1, count - 1)
        return first[segment] + np.floor(step[segment] * rank + 1e-9).astype(np.int64)

    def capacity(self, n_snapshots: int) -> int:
        """How many blocks of L samples fit without overlap, none across a border."""
        first, stop = self._borders
        return int(((stop - first) // n_snapshots).sum())

    def blocks(self, batches: int, n_snapshots: int, size: int) -> Iterator[NDArray[np.complex64]]:
        """The same blocks as `cut`, `size` of them at a time, each (b, N, L)."""
        starts = self.starts(batches, n_snapshots)
        for i in range(0, batches, size):
            yield self.read_blocks(starts[i : i + size], n_snapshots)

    def read_blocks(self, starts: NDArray[np.int64], n_snapshots: int) -> NDArray[np.complex64]:
        """Blocks of L samples from these first ones (ascending), (b, N, L); neighbours are read at once."""
        apart = np.flatnonzero(np.diff(starts) > _NEAR * n_snapshots) + 1
        blocks = []
        for group in np.split(starts, apart):
            lowest = int(group[0])
            data = self.read(lowest, int(group[-1]) - lowest + n_snapshots)
            blocks += [data[:, k : k + n_snapshots] for k in group - lowest]
        return np.stack(blocks)

    def cut(self, batches: int, n_snapshots: int) -> NDArray[np.complex64]:
        """B blocks of L consecutive samples, evenly spaced over the capture, (B, N, L)."""
        return next(self.blocks(batches, n_snapshots, batches))

    def segment_of(self, samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of the segments that hold these samples."""
        return np.searchsorted(self._borders[0], samples, side="right") - 1

    def stream_times_s(self, samples: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Stream times of samples, s after the first, gaps included; None without a sample rate."""
        return self._times(samples, self._begins)

    def unix_times(self, samples: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Unix times of samples, s; None unless the capture tells when it began, and its sample rate."""
        return self._times(samples, _array([s.time for s in self.segments]))

    def frequencies_hz(self, samples: NDArray[np.int64]) -> NDArray[np.float64] | None:
        """Centre frequencies of samples, NaN where it is not told; None where it is nowhere."""
        told = np.array([np.nan if s.frequency_hz is None else s.frequency_hz for s in self.segments])
        return None if np.isnan(told).all() else told[self.segment_of(samples)]

    def sample_at(self, time_s: float) -> int | None:
        """The sample nearest to a stream time in s; None in a gap, beyond the end or without a sample rate."""
        if self.sample_rate_hz is None or self._begins is None:
            return None
        i = int(np.searchsorted(self._begins, time_s + 0.5 / self.sample_rate_hz, side="right")) - 1
        if i < 0:
            return None
        sample = self.segments[i].start + round((time_s - float(self._begins[i])) * self.sample_rate_hz)
        return sample if self.segments[i].start <= sample < self.segments[i].stop else None

    def _times(self, samples: NDArray[np.int64], begins: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        if self.sample_rate_hz is None or begins is None:
            return None
        index = self.segment_of(samples)
        return begins[index] + (samples - self._borders[0][index]) / self.sample_rate_hz

    @cached_property
    def _begins(self) -> NDArray[np.float64] | None:
        return _array([s.begins_s for s in self.segments])

    @cached_property
    def _borders(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        first, stop = zip(*((s.start, s.stop) for s in self.segments), strict=True)
        return np.array(first, np.int64), np.array(stop, np.int64)


def _array(values: list[float | None]) -> NDArray[np.float64] | None:
    return None if None in values else np.array(values, float)


def check_sizes(path: str, batches: int, n_channels: int, n_snapshots: int) -> None:
    """Raise RecordingError when batches hold more than memory is to be taken for, before any is."""
    if n_channels * n_snapshots > MAX_BATCH_SAMPLES:
        raise RecordingError(
            f"{path}: expected at most {MAX_BATCH_SAMPLES} samples a batch, found {n_channels} channels x "
            f"{n_snapshots} snapshots; ask for fewer with --snapshots"
        )
    if batches > MAX_BATCHES:
        raise RecordingError(
            f"{path}: expected at most {MAX_BATCHES} batches, found {batches}; ask for fewer with --batches, or for "
            "longer ones with --snapshots"
        )


def lay_out(
    marks: list[tuple[int, float | None, float | None, float | None]], n_samples: int, sample_rate_hz: float | None
) -> list[Segment]:
    """Segments of marks (first sample, frequency_hz, Unix time, stream time in s), ascending; None: not told.

    A segment begins when the one before it ends, or later where its mark says so (a gap); never earlier, since clocks
    may be coarse but samples take their time. Where a mark has both, its stream time counts, not its Unix time.
    """
    if not marks or marks[0][0] > 0:
        marks = [(0, None, None, None), *marks]
    ends = [start for start, *_ in marks[1:]] + [n_samples]
    kept = [(*mark, stop) for mark, stop in zip(marks, ends, strict=True) if stop > mark[0]]
    if sample_rate_hz is None:
        return [Segment(start, stop, frequency, None, time) for start, frequency, time, _, stop in kept]
    # what the clocks showed at the start of the stream, by the first mark that tells
    zero_stream = next((told - start / sample_rate_hz for start, _, _, told, _ in kept if told is not None), 0.0)
    zero_unix = next((time - start / sample_rate_hz for start, _, time, _, _ in kept if time is not None), None)
    segments, clock = list[Segment](), 0.0
    for start, frequency, time, told, stop in kept:
        if told is not None:
            clock = max(clock, told - zero_stream)
        elif time is not None and zero_unix is not None:
            clock = max(clock, time - zero_unix)
        unix = None if zero_unix is None else zero_unix + clock
        segments.append(Segment(start, stop, frequency, clock, unix))
        clock += (stop - start) / sample_rate_hz
    return segments

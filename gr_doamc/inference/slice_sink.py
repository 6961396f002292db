"""The stream side of `signal_finder` and `correlator`: cuts streams into slices, tells where the receiver was tuned."""

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pmt
from gnuradio import blocks, gr

from doamc.errors import SnapshotError
from gr_doamc.inference.slice_queue import Lengths, Slice, SliceQueue, Tuning
from gr_doamc.runtime.messages import CAPTURE
from gr_doamc.runtime.output_buffers import ask_for_buffers, forget_limits
from gr_doamc.runtime.stream_guard import guarded_work

_LOST = "frames_lost"
_BUFFER = 16384  #: samples of every stream that wait to be cut into slices


class TakesSlices(Protocol):
    """What the sink needs of the engine."""

    setup: Any  #: lengths(sample_rate): of its slices. Raises SnapshotError where there are none.
    queue: SliceQueue


class slice_sink(gr.sync_block):
    """Slices of N complex streams for an engine; see `signal_finder` for the arguments and the tags.

    take_part: gives the engine of a run that begins, told the name of the part that asks. The streams come as one, of
    vectors: `connect_merged`. across: samples left out, since the receiver was tuned anew or lost samples before their
    slice was complete. merge: the block that merges the streams, if one does.
    """

    def __init__(
        self, n_elements: int, take_part: Callable[[str], TakesSlices], sample_rate: float, frequency: float
    ) -> None:
        gr.sync_block.__init__(self, name="slice_sink", in_sig=[(np.complex64, n_elements)], out_sig=None)
        self._n, self._take_part = n_elements, take_part
        self.merge: Any = None
        self._told_rate, self._told_frequency = sample_rate, frequency
        self.failure: Exception | None = None
        self.message_port_register_out(pmt.intern("status"))
        self._begin()

    def start(self) -> bool:
        """Begin at the first sample; called by GNU Radio."""
        if self.merge is not None:
            forget_limits(self.merge)
        self._begin()
        self._engine = self._take_part("sink")
        return True

    @property
    def left(self) -> int:
        """Samples that have filled no slice, and those that the last one has as its overlap."""
        return self.across + self._filled

    def _begin(self) -> None:
        self._rate, self._frequency = self._told_rate, self._told_frequency
        self._clock: tuple[int, float] | None = None  # (sample, rx_time) of the newest tag
        self._lengths = Lengths(0)
        self._held, self._filled, self._lost = np.empty((self._n, 0), np.complex64), 0, 0
        self._tuned = False
        self.across = 0

    @guarded_work
    def work(self, input_items: list[np.ndarray], output_items: Any) -> int:
        """Copy samples into slices, and hand over those that are complete."""
        first, count = self.nitems_read(0), len(input_items[0])
        streams = input_items[0].T
        tags: dict[int, list[Any]] = {}
        for tag in self.get_tags_in_window(0, 0, count):
            tags.setdefault(tag.offset, []).append(tag)
        start = 0
        for offset in [*sorted(tags), first + count]:
            self._copy(streams, start, offset - first)
            start = offset - first
            if offset in tags:
                self._read(offset, {pmt.symbol_to_string(t.key): pmt.to_python(t.value) for t in tags[offset]})
        return count

    def _read(self, offset: int, tags: dict[str, Any]) -> None:
        """Take in the tags of a sample."""
        before = self._rate, self._frequency, self._clock
        if "rx_rate" in tags and not self._told_rate:
            self._rate = float(tags["rx_rate"])
        if "rx_freq" in tags and not self._told_frequency:
            self._frequency = float(tags["rx_freq"])
        if "rx_time" in tags:
            whole, fraction = tags["rx_time"]
            self._clock = offset, float(whole) + float(fraction)
        if (self._rate, self._frequency) != before[:2] or CAPTURE in tags:
            self.give_rest()
            self._leave_out()
            self._tuned = False
        elif tags.get(_LOST):
            self._leave_out()
            self._lost += self._gap(offset, before[2])

    def _gap(self, offset: int, before: tuple[int, float] | None) -> int:
        """Slices that a gap is long, by the clock: one at least."""
        if before is None or self._clock is None or self._clock[0] != offset:
            return 1
        seconds = self._clock[1] - before[1] - (offset - before[0]) / self._rate
        return max(1, round(seconds * self._rate / max(1, self._lengths.slice)))

    def give_rest(self) -> None:
        """Hand over a shorter slice, at the end or where the receiver is tuned anew, unless it is too short."""
        if self._filled >= self._lengths.least:
            self._hand_over()
            self._filled = 0

    def _leave_out(self) -> None:
        self.across += self._filled
        self._filled = 0

    def _copy(self, streams: np.ndarray, start: int, stop: int) -> None:
        if stop > start and not self._tuned:
            self._tune(self.nitems_read(0) + start)
        while start < stop:
            count = min(stop - start, self._held.shape[1] - self._filled)
            self._held[:, self._filled : self._filled + count] = streams[:, start : start + count]
            start, self._filled = start + count, self._filled + count
            if self._filled == self._held.shape[1]:
                self._hand_over()

    def _hand_over(self) -> None:
        """Give away what is held; what comes next begins with its overlap."""
        whole, overlap = self._held, self._lengths.overlap
        self._engine.queue.put(Slice(whole[:, : self._filled], time.time(), self._lost))
        self._held, self._lost = np.empty_like(whole), 0
        self._held[:, :overlap] = whole[:, self._filled - overlap : self._filled]
        self._filled = overlap

    def _tune(self, sample: int) -> None:
        if not self._rate > 0:
            raise SnapshotError("expected a sample rate or a tag rx_rate at the start of the stream, found neither")
        at = None if self._clock is None else self._clock[1] + (sample - self._clock[0]) / self._rate
        self._lengths = self._engine.setup.lengths(self._rate)
        self._held = np.empty((self._n, self._lengths.slice + self._lengths.overlap), np.complex64)
        self._engine.queue.tune(Tuning(self._frequency, self._rate, sample, at))
        self._tuned, self._lost = True, 0


def connect_merged(block: gr.hier_block2, sink: slice_sink, n_elements: int) -> None:
    """Bring the N streams of a block to its sink.

    Of many streams that do not come at the same pace GNU Radio asks a block of Python again and again how many samples
    it needs, and hands them over in pieces: of five at 2.4 MS/s, 0.3 to 0.8 s of processor time a second, against 0.15
    where a block of C++ merges them before.
    """
    merge = blocks.streams_to_vector(gr.sizeof_gr_complex, n_elements)
    merge.set_log_level("warn")  # it would tell the length of its buffer
    ask_for_buffers(merge, _BUFFER)  # else the pieces are a thousand samples long
    for channel in range(n_elements):
        block.connect((block, channel), (merge, channel))
    block.connect(merge, sink)
    sink.merge = merge

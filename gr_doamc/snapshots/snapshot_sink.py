"""The one Python block of `snapshot_buffer`: kept vectors in, batches out as messages."""

import time
from typing import Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import SnapshotError
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.messages import CAPTURE, Batch, batch_to_pmt
from gr_doamc.runtime.stream_guard import WORK_DONE, guarded_work

_SNAPSHOTS, _STATUS = pmt.intern("snapshots"), pmt.intern("status")
#: tags whose change says that the receiver was tuned anew, and one after which its clock has jumped
_TUNED, _LOST = ("rx_freq", "rx_rate"), "frames_lost"
#: after how many s a clock is compared with the samples that it counts, and how far off it may be
_CLOCK_S, _CLOCK_RATIO = 0.1, 1.5


class snapshot_sink(gr.sync_block):
    """Posts every L vectors of N elements as one batch; see `snapshot_buffer` for the arguments and the tags.

    slack: samples of the stream by which a tag may be beside its sample.
    """

    def __init__(
        self, n_elements: int, n_snapshots: int, decimation: int, hop: int, slack: float, sample_rate: float,
        array: str, frequency: float, frequency_shift: float,
    ) -> None:  # fmt: skip
        gr.sync_block.__init__(self, name="snapshot_sink", in_sig=[(np.complex64, n_elements)], out_sig=None)
        self._length, self._hop, self._rate, self._array = n_snapshots, hop, sample_rate, array
        self._span = (n_snapshots - 1) * decimation  # from the first sample of a batch to its last
        self._slack = slack  # how far a tag may be from its sample
        self._told_frequency, self._shift = frequency or None, frequency_shift
        self._frequency = self._told_frequency
        self.produced = self.across = self._number = 0
        self._tuned: dict[str, float] = {}
        self._border = self._odd_clocks = 0
        self._rate_is_told, self._counts_are_told = sample_rate > 0, False
        self._reference: tuple[int, float, float] | None = None  # (kept vector, sample, rx_time) of an earlier tag
        self.failure: Exception | None = None
        self._stopped = False
        self._clock: tuple[float, float] | None = None  # (sample, rx_time) of the latest rx_time tag
        self.set_output_multiple(n_snapshots)
        for port in ("snapshots", "status"):
            self.message_port_register_out(pmt.intern(port))
        self.message_port_register_in(pmt.intern("stop"))
        self.set_msg_handler(pmt.intern("stop"), self._on_stop)

    @guarded_work
    def work(self, input_items: list[np.ndarray], output_items: Any) -> int:
        """Post the batches that are complete."""
        if self._stopped:
            return WORK_DONE
        vectors = input_items[0]
        first = self.nitems_read(0)
        # of the tags at one sample the clock comes last: what it is compared with ends where samples are lost
        tags = sorted(self.get_tags_in_window(0, 0, len(vectors)), key=lambda t: (t.offset, str(t.key) == "rx_time"))
        borders = self._borders(tags)
        for begin in range(0, len(vectors), self._length):
            across = self._is_across(borders)
            while tags and tags[0].offset <= first + begin:
                self._read(tags.pop(0))
            if across:
                self._leave_out()
            else:
                self._publish(vectors[begin : begin + self._length].T)
            self._number += 1
        for tag in tags:
            self._read(tag)
        return len(vectors)

    def failed(self, error: Exception) -> None:
        """Log what a message handler raised."""
        self.logger.error(f"{type(error).__name__}: {error}")

    def _publish(self, snapshots: np.ndarray) -> None:
        if not self._rate > 0:
            raise SnapshotError("expected a sample rate or a tag rx_rate at the start of the stream, found neither")
        sample = self._number * self._hop
        sample_time = sample / self._rate
        rx_time = None if self._clock is None else self._clock[1] + (sample - self._clock[0]) / self._rate
        batch = Batch(
            snapshots, self._number, sample_time, self._rate, rx_time, self._frequency, self._array, time.time()
        )
        self.produced += 1
        self.message_port_pub(_SNAPSHOTS, batch_to_pmt(batch))

    def _read(self, tag: Any) -> None:
        """Take in a tag; offsets count kept vectors here, L of them for every hop of the stream."""
        key, value = pmt.symbol_to_string(tag.key), pmt.to_python(tag.value)
        if key in (CAPTURE, _LOST):
            self._border, self._odd_clocks = tag.offset, 0
        if key == "rx_freq" and self._told_frequency is None:
            self._frequency = float(value) + self._shift
        elif key == "rx_rate" and not self._rate > 0:
            self._rate = float(value)
        elif key == "rx_time":
            seconds, fraction = value
            self._clock = tag.offset * self._hop / self._length, float(seconds) + float(fraction)
            self._compare(tag.offset)

    def _borders(self, tags: list[Any]) -> list[tuple[float, float]]:
        """Where captures begin: samples of the stream, and how far off they may be."""
        offsets, exact = set(), {}
        for tag in tags:
            key, place = pmt.symbol_to_string(tag.key), tag.offset * self._hop / self._length
            if key == CAPTURE:
                offsets.add(tag.offset)
                told = float(pmt.to_python(tag.value))
                if abs(told - place) <= self._slack:  # else a filter lies between, which counts other samples
                    exact[tag.offset] = told
                else:
                    self._compare_counts(told, place)
            elif key in _TUNED:
                value = float(pmt.to_python(tag.value))
                if self._tuned.setdefault(key, value) != value:
                    offsets.add(tag.offset)
                    self._tuned[key] = value
        places = [(exact.get(k), k * self._hop / self._length) for k in sorted(offsets)]
        return [(rough, self._slack) if told is None else (told, 0.0) for told, rough in places]

    def _is_across(self, borders: list[tuple[float, float]]) -> bool:
        """Whether a border may lie within the batch that comes next."""
        first = self._number * self._hop
        return any(first < place + slack and place - slack <= first + self._span for place, slack in borders)

    def _leave_out(self) -> None:
        self.across += 1
        self._tell(f"{self.across} batches left out, since the receiver was tuned anew or lost samples within them")

    def _compare(self, offset: int) -> None:
        """Tell when the clock has counted other seconds than there are samples, twice in a row, no border between."""
        if self._clock is None or not self._rate > 0:
            return
        earlier, self._reference = self._reference, (offset, *self._clock)
        if earlier is None or earlier[0] < self._border:
            return
        samples, seconds = self._clock[0] - earlier[1], self._clock[1] - earlier[2]
        if samples <= 0 or max(seconds, samples / self._rate) < _CLOCK_S:  # clocks in ms are coarse: wait
            self._reference = earlier
            return
        ratio = seconds * self._rate / samples
        odd = not 1 / _CLOCK_RATIO < ratio < _CLOCK_RATIO
        self._odd_clocks = self._odd_clocks + 1 if odd else 0
        if self._odd_clocks == 2:
            self._tell(
                f"expected {self._rate:g} samples a second, found {samples / seconds if seconds > 0 else 0.0:g} by the "
                "clock rx_time: a filter before this block decimates, or sample_rate is wrong; give sample_rate"
            )

    def _compare_counts(self, told: float, place: float) -> None:
        """Tell, once, when the source has counted other samples than came, and the rate is the source's, too."""
        if self._rate_is_told or self._counts_are_told or told < _CLOCK_RATIO * place:
            return
        self._counts_are_told = True
        self._tell(
            f"sample {told:g} of the source came as sample {place:g} or so: where a filter before this block "
            "decimates, its tag rx_rate is too high; give sample_rate"
        )

    def _tell(self, text: str) -> None:
        self.logger.warn(text)
        counters = {"produced": self.produced, "across": self.across}
        status = block_status(self, "running", self._number - 1, counters, text)
        self.message_port_pub(_STATUS, pmt.to_pmt(status))

    @guarded
    def _on_stop(self, message: Any) -> None:
        status = pmt.to_python(message)
        if not isinstance(status, dict) or status.get("state") == "stopped":
            self._stopped = True

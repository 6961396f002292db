"""The one Python block of `snapshot_buffer`: kept vectors in, batches out as messages."""

import time
from typing import Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import SnapshotError
from gr_doamc.message_block import guarded
from gr_doamc.messages import Batch, batch_to_pmt
from gr_doamc.stream_guard import WORK_DONE, guarded_work

_SNAPSHOTS = pmt.intern("snapshots")


class snapshot_sink(gr.sync_block):
    """Posts every L vectors of N elements as one batch; see `snapshot_buffer` for the arguments and the tags."""

    def __init__(self, n_elements: int, n_snapshots: int, hop: int, sample_rate: float, array: str) -> None:
        gr.sync_block.__init__(self, name="snapshot_sink", in_sig=[(np.complex64, n_elements)], out_sig=None)
        self._length, self._hop, self._rate, self._array = n_snapshots, hop, sample_rate, array
        self.produced = 0
        self.failure: Exception | None = None
        self._stopped = False
        self._frequency: float | None = None
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
        tags = sorted(self.get_tags_in_window(0, 0, len(vectors)), key=lambda tag: tag.offset)
        for begin in range(0, len(vectors), self._length):
            while tags and tags[0].offset <= first + begin:
                self._read(tags.pop(0))
            self._publish(vectors[begin : begin + self._length].T)
        for tag in tags:
            self._read(tag)
        return len(vectors)

    def failed(self, error: Exception) -> None:
        """Log what a message handler raised."""
        self.logger.error(f"{type(error).__name__}: {error}")

    def _publish(self, snapshots: np.ndarray) -> None:
        if not self._rate > 0:
            raise SnapshotError("expected a sample rate or a tag rx_rate at the start of the stream, found neither")
        sample = self.produced * self._hop
        sample_time = sample / self._rate
        rx_time = None if self._clock is None else self._clock[1] + (sample - self._clock[0]) / self._rate
        batch = Batch(
            snapshots, self.produced, sample_time, self._rate, rx_time, self._frequency, self._array, time.time()
        )
        self.produced += 1
        self.message_port_pub(_SNAPSHOTS, batch_to_pmt(batch))

    def _read(self, tag: Any) -> None:
        """Take in a tag; offsets count kept vectors here, L of them for every hop of the stream."""
        key, value = pmt.symbol_to_string(tag.key), pmt.to_python(tag.value)
        if key == "rx_freq":
            self._frequency = float(value)
        elif key == "rx_rate" and not self._rate > 0:
            self._rate = float(value)
        elif key == "rx_time":
            seconds, fraction = value
            self._clock = tag.offset * self._hop / self._length, float(seconds) + float(fraction)

    @guarded
    def _on_stop(self, message: Any) -> None:
        status = pmt.to_python(message)
        if not isinstance(status, dict) or status.get("state") == "stopped":
            self._stopped = True

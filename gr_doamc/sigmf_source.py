"""SigMF source: the channels of a recording as streams."""

import math
from typing import Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import RecordingError
from gr_doamc.stream_guard import WORK_DONE, guarded_work

_MAX_SAMPLES = 16384


class sigmf_source(gr.sync_block):
    """N complex streams from a SigMF recording, integers scaled to [-1, 1).

    The streams are not paced: put a ``throttle`` at the recording's own rate, `sample_rate`, on the first of them. At
    the start they carry the tags ``rx_freq`` (Hz) and ``rx_rate`` (Hz) where the recording tells them, and
    ``rx_time`` (tuple of whole and fractional seconds) from ``core:datetime`` or, without one, zero. Message port
    ``status``: failures.

    Args:
        file: the .sigmf-meta file.
        n_elements: number of channels expected; 0 takes those of the file.
        repeat: begin again at the end.

    Raises RecordingError when the recording is missing, truncated or has another number of channels.
    """

    def __init__(self, file: str = "", n_elements: int = 0, repeat: bool = False) -> None:
        from doamc.snapshots.sigmf_files import Recording  # late: sigmf and jsonschema

        self._recording = Recording(file, n_elements or None)
        channels = self._recording.n_channels
        gr.sync_block.__init__(self, name="sigmf_source", in_sig=None, out_sig=[np.complex64] * channels)
        self.message_port_register_out(pmt.intern("status"))
        self.failure: Exception | None = None
        self._repeat, self._position = bool(repeat), 0
        self.set_min_output_buffer(_MAX_SAMPLES)

    @property
    def n_elements(self) -> int:
        """Number of channels N."""
        return self._recording.n_channels

    @property
    def sample_rate(self) -> float:
        """Sample rate of the recording, Hz. Raises RecordingError when it does not tell."""
        rate = self._recording.sample_rate_hz
        if rate is None or not (math.isfinite(rate) and rate > 0):
            raise RecordingError(f"{self._recording.path}: expected a core:sample_rate, found {rate}; add it")
        return rate

    def start(self) -> bool:
        """Begin at the first sample; called by GNU Radio."""
        self._position = 0
        return True

    @guarded_work
    def work(self, input_items: Any, output_items: list[np.ndarray]) -> int:
        """Copy the next samples."""
        if self._position == self._recording.n_samples:
            if not self._repeat:
                return WORK_DONE
            self._position = 0
        if self.nitems_written(0) == 0:
            self._tag()
        count = min(len(output_items[0]), self._recording.n_samples - self._position)
        samples = self._recording.read(self._position, count)
        for stream, row in zip(output_items, samples, strict=True):
            stream[:count] = row
        self._position += count
        return count

    def _tag(self) -> None:
        seconds, fraction = _start_time(self._recording.metadata)
        tags = {"rx_time": pmt.make_tuple(pmt.from_uint64(seconds), pmt.from_double(fraction))}
        for key, value in (("rx_freq", self._recording.frequency_hz), ("rx_rate", self._recording.sample_rate_hz)):
            if value is not None:
                tags[key] = pmt.from_double(value)
        for channel in range(self.n_elements):
            for key, value in tags.items():
                self.add_item_tag(channel, 0, pmt.intern(key), value)


def _start_time(metadata: dict[str, Any]) -> tuple[int, float]:
    """Whole and fractional Unix seconds of the first capture; zero when the recording does not tell."""
    from datetime import datetime, timezone

    captures = metadata.get("captures") or [{}]
    text = captures[0].get("core:datetime")
    if text is None:
        return 0, 0.0
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()), float(f"0.{fraction or 0}")

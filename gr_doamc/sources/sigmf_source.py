"""SigMF source: the channels of a recording as streams."""

import math
from typing import Any

import numpy as np
import pmt
from gnuradio import blocks, gr

from doamc.errors import RecordingError
from gr_doamc.runtime.messages import CAPTURE
from gr_doamc.runtime.stream_guard import WORK_DONE, guarded_work


class sigmf_source(gr.hier_block2):
    """N complex streams from a SigMF recording, integers scaled to [-1, 1).

    At the first sample of every capture the streams carry the tags ``rx_rate`` and ``rx_freq`` (Hz), where the
    recording tells them, and ``rx_time`` (tuple of whole and fractional seconds). That begins at ``core:datetime`` or,
    without one, at zero, shows the gaps between captures, and comes again every second of the stream. With ``repeat``
    time goes on where the recording begins again. ``doamc_capture``, at every capture but the first, is its place in
    the streams. Message port ``status``: failures.

    Where the recording tells how its antennas stand, and an ``array`` is named, the streams are numbered as that array
    says, whatever the numbering in the file; antennas that stand otherwise are refused.

    Args:
        file: the .sigmf-meta file, a .sigmf archive or a .sigmf-collection.
        n_elements: number of channels expected; 0 takes those of the file.
        repeat: begin again at the end.
        pace: play at the recording's own sample rate (C++ throttle) instead of as fast as the flowgraph takes it.
        duration: s of stream to play; 0 plays on to the end, or for ever with ``repeat``.
        vector: one stream of vectors of N samples instead of N streams, for when N is only known at run time.
        array: name of the specification, or path of a TOML file, of whoever takes the streams; "" for channels as they
            are in the file.

    Raises RecordingError when the recording is missing, truncated, of another number of channels or of other antennas,
    or when a pace or duration is asked for and it does not tell its sample rate.
    """

    def __init__(
        self, file: str = "", n_elements: int = 0, repeat: bool = False, pace: bool = True, duration: float = 0.0,
        vector: bool = False, array: str = "",
    ) -> None:  # fmt: skip
        from doamc.snapshots.captures import open_capture  # late: sigmf and jsonschema

        if not duration >= 0:
            raise RecordingError(f"duration must be 0 or positive, found {duration}")
        recording = open_capture(file, n_elements or None)
        order = stream_order(recording, array) if array else list(range(recording.n_channels))
        rate = recording.sample_rate_hz
        if (pace or duration) and not (rate and math.isfinite(rate) and rate > 0):
            raise RecordingError(f"{recording.path}: expected a core:sample_rate, found {rate}; add it, or do not pace")
        #: number of channels N, and samples per second in Hz (None when the recording does not tell)
        self.n_elements, self.sample_rate = recording.n_channels, rate
        ports, width = (1, self.n_elements) if vector else (self.n_elements, 1)
        item = gr.sizeof_gr_complex * width
        gr.hier_block2.__init__(self, "sigmf_source", gr.io_signature(0, 0, 0), gr.io_signature(ports, ports, item))
        self.message_port_register_hier_out("status")
        limit = max(1, round(duration * rate)) if duration and rate else 0
        self.reader = sigmf_reader(recording, bool(repeat), limit, bool(vector), order)
        self.msg_connect(self.reader, "status", self, "status")
        if pace:  # pacing one stream suffices: a block that reads all of them in step waits for this one
            self.throttle = blocks.throttle(item, rate)
            self.connect((self.reader, 0), self.throttle, (self, 0))
        for port in range(1 if pace else 0, ports):
            self.connect((self.reader, port), (self, port))

    @property
    def failure(self) -> Exception | None:
        """What ended the streams, if an exception did."""
        return self.reader.failure


def stream_order(recording: Any, array: str) -> list[int]:
    """Channel of a recording that each stream is, for an array; what there is to say becomes a remark.

    Raises RecordingError where its antennas are not those of the array, SpecificationError where there is no such.
    """
    from doamc.snapshots.channel_order import channel_order
    from doamc.spec import load_spec

    spec = load_spec(array, tunable=True)
    if spec.n_elements != recording.n_channels:
        found = f"{spec.n_elements} of {spec.name}"
        raise RecordingError(f"{recording.path}: expected an array of {recording.n_channels} elements, found {found}")
    channels, remark = channel_order(recording, spec)
    recording.remarks += [remark] if remark else []
    return [channels.index(element) for element in spec.channels]


class sigmf_reader(gr.sync_block):
    """The Python block within `sigmf_source`: copies samples from the file to its outputs."""

    def __init__(self, recording: Any, repeat: bool, limit: int, vector: bool, order: list[int]) -> None:
        channels = recording.n_channels
        outputs = [(np.complex64, channels)] if vector else [np.complex64] * channels
        gr.sync_block.__init__(self, name="sigmf_reader", in_sig=None, out_sig=outputs)
        self.message_port_register_out(pmt.intern("status"))
        self.failure: Exception | None = None
        self._recording, self._repeat, self._limit, self._vector = recording, repeat, limit, vector
        self._order = order  # channel of each stream
        self._ports, self._position, self._turn = len(outputs), 0, 0
        self._begins = np.array([segment.start for segment in recording.segments])

    def start(self) -> bool:
        """Begin at the first sample; called by GNU Radio."""
        for remark in self._recording.remarks:
            self.logger.warn(remark)
        self._position = self._turn = 0
        return True

    @guarded_work
    def work(self, input_items: Any, output_items: list[np.ndarray]) -> int:
        """Copy the next samples; ends the streams at the end of the recording or of the duration."""
        total = self._recording.n_samples
        written = self.nitems_written(0)
        left = self._limit - written if self._limit else total
        if left <= 0 or (self._position == total and not self._repeat):
            return WORK_DONE
        if self._position == total:
            self._position, self._turn = 0, self._turn + 1
        count = min(len(output_items[0]), total - self._position, left)
        self._tag(written - self._position, self._position, self._position + count)
        samples = self._recording.read(self._position, count)
        if self._vector:
            output_items[0][:count] = samples[self._order].T
        else:
            for stream, channel in zip(output_items, self._order, strict=True):
                stream[:count] = samples[channel]
        self._position += count
        return count

    def _tag(self, shift: int, first: int, stop: int) -> None:
        """Tag samples first <= k < stop of the recording, which are items k + shift of the streams."""
        segments, rate = self._recording.segments, self._recording.sample_rate_hz
        low, high = (int(n) for n in np.searchsorted(self._begins, [first, stop]))
        for segment in segments[low:high]:
            tags = {} if rate is None else {"rx_rate": pmt.from_double(rate)}
            if segment.frequency_hz is not None:
                tags["rx_freq"] = pmt.from_double(segment.frequency_hz)
            if segment.start + shift:
                tags[CAPTURE] = pmt.from_uint64(segment.start + shift)
            if segment.begins_s is not None or segment.start == self._turn == 0:
                tags["rx_time"] = self._time(segment, 0)
            self._put(segment.start + shift, tags)
        if rate is None:
            return
        step = max(1, math.ceil(rate))  # a second
        for segment in segments[max(0, low - 1) : high]:
            passed = max(1, -((segment.start - first) // step))
            for k in range(segment.start + passed * step, min(segment.stop, stop), step):
                self._put(k + shift, {"rx_time": self._time(segment, k - segment.start)})

    def _time(self, segment: Any, samples: int) -> Any:
        """Value of ``rx_time`` so many samples after the first of a segment."""
        first, last = self._recording.segments[0], self._recording.segments[-1]
        rate = self._recording.sample_rate_hz or math.inf
        length = (last.begins_s or 0.0) + (last.stop - last.start) / rate
        passed = self._turn * length + (segment.begins_s or 0.0) + samples / rate
        whole = math.floor(first.time or 0.0)
        fraction = (first.time or 0.0) - whole + passed
        return pmt.make_tuple(pmt.from_uint64(whole + math.floor(fraction)), pmt.from_double(fraction % 1.0))

    def _put(self, offset: int, tags: dict[str, Any]) -> None:
        for port in range(self._ports):
            for key, value in tags.items():
                self.add_item_tag(port, offset, pmt.intern(key), value)

"""Snapshot buffer: N complex streams in, batches of L snapshots out as messages.

Everything at the sample rate is done by GNU Radio's C++ blocks: the streams become one stream of vectors (so that the
channels cannot slip), and of every hop only the L vectors of a batch are passed on. Python sees nothing else.
"""

import math

from gnuradio import blocks, gr

from doamc.errors import SnapshotError
from doamc.spec import load_spec
from gr_doamc.snapshots.snapshot_sink import snapshot_sink

#: a C++ block that keeps m in n holds n vectors at once; longer hops are done in two steps
_LONGEST = 65536


class snapshot_buffer(gr.hier_block2):
    """Cuts N complex streams into batches of L snapshots, one every ``hop`` samples.

    Batch k holds, of every stream, the samples k hop, k hop + decimation, ..., k hop + (L - 1) decimation. It is
    posted on message port ``snapshots`` as a PMT dict (see `gr_doamc.runtime.messages`): ``snapshots`` (c32vector),
    ``n_elements``, ``n_snapshots``, ``seq``, ``sample_time`` (s, of its first sample), ``sample_rate``, ``time``,
    ``array``, and from stream tags ``rx_time`` (s, tuple of whole and fraction in the tag) and ``frequency_hz``
    (``rx_freq``), as they are at its first sample. Tags at the start of the stream are placed exactly, later ones
    within about hop / (2 L) samples (exactly without a gap and decimation), and an ``rx_time`` inside a batch applies
    from the next one. Where ``rx_freq`` or ``rx_rate`` changes, or a tag ``doamc_capture`` of `sigmf_source` or
    `krakensdr_source` says so, a new capture begins: a batch that this falls into, or may for all that the place of
    the tag tells, is left out, and its number is missing. ``doamc_capture`` tells its place exactly.

    A filter before this block passes tags on as they are: behind one that decimates ``rx_rate`` is too high, behind one
    that shifts ``rx_freq`` is wrong. Then give ``sample_rate`` and ``frequency_shift`` (or ``frequency``),
    which go before the tags. Where ``rx_time`` comes again and again (`sigmf_source`, `krakensdr_source`) a rate that
    does not agree with it is told; so is one of the tag ``rx_rate`` where ``doamc_capture`` counts more samples than
    came.

    Message port ``stop``: a status with state ``stopped`` ends the stream. Message port ``status``: failures, batches
    that were left out (counter ``across``), and a rate that does not agree with the clock.

    Args:
        n_elements: number of streams N; 0 takes that of the array.
        n_snapshots: snapshots L of a batch, at least 1.
        hop: samples from the start of one batch to the start of the next; 0 for L decimation, i.e. no gap.
        decimation: samples from one snapshot to the next, at least 1.
        sample_rate: of the streams, Hz, to tell times by; 0 takes that of the tag ``rx_rate``.
        frequency: centre frequency of the streams, Hz; 0 takes that of the tag ``rx_freq``.
        frequency_shift: Hz, added to ``rx_freq``: ``center_freq`` of a freq_xlating filter before this block.
        array: name of the array specification that the batches are labelled with, or "".
        vector: one stream of vectors of N samples in instead of N streams, for when N is only known at run time.

    Raises SnapshotError when an argument is out of range or the hop is shorter than a batch.
    """

    def __init__(
        self, n_elements: int = 8, n_snapshots: int = 256, hop: int = 0, decimation: int = 1,
        sample_rate: float = 200e3, array: str = "", vector: bool = False, frequency: float = 0.0,
        frequency_shift: float = 0.0,
    ) -> None:  # fmt: skip
        n_elements = n_elements or (load_spec(array, tunable=True).n_elements if array else 0)
        if n_elements < 2 or n_snapshots < 1 or decimation < 1 or not 0 <= sample_rate < math.inf:
            raise SnapshotError(
                "expected n_elements >= 2 (or an array), n_snapshots and decimation >= 1 and sample_rate >= 0, "
                f"found {n_elements}, {n_snapshots}, {decimation} and {sample_rate}"
            )
        if not 0 <= frequency < math.inf or not math.isfinite(frequency_shift):
            found = f"{frequency} and {frequency_shift}"
            raise SnapshotError(f"expected frequency >= 0 and a finite frequency_shift, found {found}")
        span = n_snapshots * decimation
        hop = hop or span
        if hop < span:
            raise SnapshotError(f"hop must be at least n_snapshots * decimation = {span} samples, found {hop}")
        item = gr.sizeof_gr_complex * n_elements
        ports, width = (1, item) if vector else (n_elements, gr.sizeof_gr_complex)
        inputs = gr.io_signature(ports, ports, width)
        gr.hier_block2.__init__(self, "snapshot_buffer", inputs, gr.io_signature(0, 0, 0))
        self.message_port_register_hier_in("stop")
        for port in ("snapshots", "status"):
            self.message_port_register_hier_out(port)
        stages = keep_stages(n_snapshots, decimation, hop)
        self.sink = snapshot_sink(
            n_elements, n_snapshots, decimation, hop, tag_slack(stages), float(sample_rate), array, float(frequency),
            float(frequency_shift),
        )  # fmt: skip
        self.keep = [blocks.keep_m_in_n(item, m, n, 0) for m, n in stages]
        if vector:
            self.connect(self, *self.keep, self.sink)
        else:
            self.interleave = blocks.streams_to_vector(gr.sizeof_gr_complex, n_elements)
            for channel in range(n_elements):
                self.connect((self, channel), (self.interleave, channel))
            self.connect(self.interleave, *self.keep, self.sink)
        self.msg_connect(self, "stop", self.sink, "stop")
        for port in ("snapshots", "status"):
            self.msg_connect(self.sink, port, self, port)

    @property
    def produced(self) -> int:
        """Batches posted so far."""
        return self.sink.produced

    @property
    def failure(self) -> Exception | None:
        """What ended the stream, if an exception did."""
        return self.sink.failure


def keep_stages(n_snapshots: int, decimation: int, hop: int) -> list[tuple[int, int]]:
    """Steps (m, n), "keep the first m of every n", that leave L snapshots of every hop.

    A hop beyond 65536 samples is split by a divisor of it, so that no step has to hold all of it.
    """
    span = n_snapshots * decimation
    first = hop
    if hop > _LONGEST:
        first = next((d for d in range(_LONGEST, span - 1, -1) if hop % d == 0), hop)
    steps = [(span, first), (span, span * (hop // first)), (1, decimation)]
    return [(m, n) for m, n in steps if n > m]


def tag_slack(stages: list[tuple[int, int]]) -> float:
    """How many samples a tag may lie beside its place behind these steps, each of which rounds it to half an item."""
    slack, width = 0.0, 1.0
    for m, n in stages:
        width *= n / m
        slack += 0.5 * width
    return slack

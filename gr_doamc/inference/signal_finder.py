"""Signal finder: N streams in; every signal of the band out, with its direction, many times a second."""

import math
from collections.abc import Sequence
from typing import Any

from gnuradio import gr

from doamc.errors import EstimatorError, SpecificationError
from doamc.spec import load_spec
from gr_doamc.inference.signal_worker import signal_worker
from gr_doamc.inference.slice_sink import connect_merged, slice_sink

_PORTS = ("signals", "spectrum", "status")


class signal_finder(gr.hier_block2):
    """Finds every signal in the band of N complex streams, points at it and follows it, in threads of its own.

    Spectral covariances of overlapping frames, a test of constant false-alarm rate on them, whole estimates of signals
    that come up, with one coupling of the array for all, and in between each active signal refined from its newest
    samples ``update_rate`` times a second. Slices wait in a bounded queue; what finds no room is dropped and counted.

    Tags: ``rx_rate`` and ``rx_freq`` (Hz), ``rx_time``; where rate or frequency change, or ``doamc_capture`` says so,
    all signals end and the band begins anew. ``frames_lost`` leaves out the slices that were lost.

    Message port ``signals``: a PMT dict for every active signal at every update, and the last of each with ``ended``
    true; keys as in the JSON message (schema ``doamc.signal/1``), ``seq`` counts them. A new signal is told at once,
    its ``sources`` as soon as there is an estimate. Message port ``spectrum``: a PMT dict with the power of the band
    and its noise floor, to look at (schema ``doamc.spectrum/1``, but lists are f32vectors), with a ``seq`` of its own.
    Message port ``status``: a dict (schema ``doamc.status/1``) every second and at every failure, with counters
    received, used, dropped (slices), updates, placed (whole estimates), ended (signals), failed, and left: samples
    that filled no quarter of a slice, at the end and where the band began anew; received = used + dropped + failed
    once the block has stopped.

    A flowgraph may be started again: tracks begin anew, numbers of signals go on, and what signals have taught of the
    array is kept.

    Args:
        array: name of a specification or path of a TOML file, with the element of each stream.
        n_elements: number of streams expected; 0 takes that of the array.
        method: estimator of whole estimates, see ``doamc methods``; "" for the default one.
        sources: number of sources of each signal, 1..N-1, or "auto".
        sample_rate: of the streams, Hz; 0 takes that of the tag ``rx_rate``.
        frequency: of the middle of the band, Hz; 0 takes that of the tag ``rx_freq``.
        resolution: width of bins, Hz.
        slice_s: length of slices, s.
        threshold: dB above that of one false alarm in ten minutes of 2.4 MHz.
        hang: s of silence after which a signal has ended.
        channels: list of (frequency_hz, bandwidth_hz) or (frequency_hz, bandwidth_hz, squelch_db); nothing else is then
            looked at.
        masks: list of (low_hz, high_hz) to leave out.
        update_rate: updates a second, about.
        one_array: whether all signals share what they teach of the coupling.
        tracks: whether emitters keep numbers.
        when_full: "drop" slices that find no room, as a radio needs it, or "wait": the streams are as fast as the
            estimates are, and the same come in every run.
        queue_size: slices that may wait, at least 1.
        threads: that torch may use in each of the block's threads.
        device: of torch, cpu or cuda, for methods that take one.
        seed: of methods that draw samples.
        drain_timeout: s that the end of the stream may take.
        heading_deg: bearing of the array's +x axis, clockwise from true north; None for that of the array's [mount].
        spectrum_rate: messages with the spectrum a second, at most; 0 for none.

    Raises DoamcError (SpecificationError, EstimatorError, SnapshotError) when the arguments do not fit.
    """

    def __init__(
        self, array: str = "uca5", n_elements: int = 0, method: str = "", sources: int | str = "auto",
        sample_rate: float = 0.0, frequency: float = 0.0, resolution: float = 6250.0, slice_s: float = 0.02,
        threshold: float = 0.0,
        hang: float = 0.5, channels: Sequence[Sequence[float]] = (), masks: Sequence[Sequence[float]] = (),
        update_rate: float = 10.0, one_array: bool = True, tracks: bool = True, when_full: str = "drop",
        queue_size: int = 16, threads: int = 1, device: str = "cpu", seed: int = 0, drain_timeout: float = 30.0,
        heading_deg: float | None = None, spectrum_rate: float = 20.0,
    ) -> None:  # fmt: skip
        n = load_spec(array, tunable=True).n_elements
        if n_elements not in (0, n):
            raise SpecificationError(f"expected {n} streams for {array}, found n_elements = {n_elements}")
        gr.hier_block2.__init__(
            self, "signal_finder", gr.io_signature(n, n, gr.sizeof_gr_complex), gr.io_signature(0, 0, 0)
        )
        for port in _PORTS:
            self.message_port_register_hier_out(port)
        _check(sample_rate, frequency, update_rate, queue_size, threads, drain_timeout, when_full)
        if not 0 <= spectrum_rate < math.inf:
            raise EstimatorError(f"expected spectrum_rate >= 0, found {spectrum_rate}")
        from doamc.bands.channels import Channel  # late: torch
        from gr_doamc.inference.band_engine import BandEngine
        from gr_doamc.inference.band_setup import BandOptions, BandSetup

        if sources != "auto" and not isinstance(sources, int):
            raise EstimatorError(f"sources must be 'auto' or a number, found {sources!r}")
        options = BandOptions(
            array, method, None if sources == "auto" else int(sources), float(resolution), float(slice_s),
            float(threshold), float(hang), tuple(_channel(Channel, c) for c in channels),
            tuple((float(low), float(high)) for low, high in masks), 1 / update_rate,
            1 / spectrum_rate if spectrum_rate else 0.0, bool(one_array), bool(tracks), device, seed,
        )  # fmt: skip
        setup = BandSetup(options)
        if heading_deg is not None and math.isfinite(heading_deg):
            setup.heading_deg = float(heading_deg)
        if sample_rate:
            setup.lengths(sample_rate)  # refused now, where bins or slices do not fit
        self.worker = signal_worker(
            lambda worker: BandEngine(setup, worker, queue_size, when_full == "wait", threads),
            lambda: self.sink.give_rest(), lambda: self.sink.left, drain_timeout,
        )  # fmt: skip
        self.sink = slice_sink(n, self.worker.take_part, float(sample_rate), float(frequency))
        connect_merged(self, self.sink, n)
        self.msg_connect(self.sink, "status", self.worker, "stream")
        for port in _PORTS:
            self.msg_connect(self.worker, port, self, port)

    @property
    def engine(self) -> Any:
        """The engine of this run, or of the last one."""
        return self.worker.engine

    @property
    def failure(self) -> Exception | None:
        """What ended the stream, if an exception did."""
        return self.sink.failure


def _channel(kind: Any, told: Sequence[float]) -> Any:
    if len(told) not in (2, 3):
        raise EstimatorError(f"expected a channel (frequency_hz, bandwidth_hz[, squelch_db]), found {told!r}")
    return kind(*(float(x) for x in told))


def _check(
    rate: float, frequency: float, updates: float, queue_size: int, threads: int, drain: float, when_full: str
) -> None:
    if not (0 <= rate < math.inf and 0 <= frequency < math.inf and 0 < updates < math.inf):
        raise EstimatorError(
            f"expected sample_rate and frequency >= 0 and update_rate > 0, found {rate}, {frequency} and {updates}"
        )
    if queue_size < 1 or threads < 1 or drain < 0:
        raise EstimatorError(
            f"expected queue_size and threads >= 1 and drain_timeout >= 0, found {queue_size}, {threads} and {drain}"
        )
    if when_full not in ("drop", "wait"):
        raise EstimatorError(f"when_full must be drop or wait, found {when_full!r}")

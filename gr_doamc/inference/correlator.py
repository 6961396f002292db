"""Correlator: N streams in, their visibilities, integrated, out as messages."""

import math
from typing import Any

from gnuradio import gr

from doamc.errors import SnapshotError
from doamc.spec import load_spec
from gr_doamc.inference.integrating_sink import integrating_sink
from gr_doamc.inference.slice_sink import connect_merged

_PORTS = ("visibilities", "status")


class correlator(gr.hier_block2):
    """Correlates N complex streams with each other and integrates every sample of them: R = sum of y y^H / L.

    Of coherent receivers the covariance of the elements is a set of visibilities, V_pq = <E_p E_q*>. Products are made
    by BLAS, thousands of samples at once, in single precision, and added in double.

    Message port ``visibilities``: a PMT dict for every integration, schema ``doamc.visibilities/1``: ``covariance``
    (c64vector, N N entries row by row, of streams), ``n_elements``, ``snapshots`` (samples of each stream), ``seq``,
    ``sample_time`` (s), ``integration_s``, ``sample_rate``, ``rx_time``, ``frequency_hz``, ``gaps``, ``array``, and
    ``time`` (s). Keys may be added; readers pass over those that they do not know.

    Tags: ``rx_rate`` and ``rx_freq`` (Hz), ``rx_time``; where rate or frequency change, or ``doamc_capture`` says so,
    the integration begins anew. ``frames_lost`` leaves out the slice (16384 samples at most) that the receiver lost
    samples in, and counts under ``gaps``; the integration goes on behind it. Everything is done in the thread that
    brings the samples, so that nothing waits in a queue: streams are held up where it is too slow.

    Message port ``status``: a dict (schema ``doamc.status/1``) every second and at every failure, with counters
    ``samples`` (integrated, of each stream), ``left_out`` (in slices that were not whole), ``unfinished`` (in
    integrations that were not), ``integrations``, ``kept`` (for the file), ``not_kept`` and ``failed`` (integrations
    with samples that are no numbers).

    Args:
        n_elements: number of streams N; 0 takes that of the array.
        integration_s: length of an integration, s; N samples at least, since a covariance of fewer is singular.
        sample_rate: of the streams, Hz; 0 takes that of the tag ``rx_rate``.
        frequency: centre frequency, Hz; 0 takes that of the tag ``rx_freq``.
        array: name of a specification or path of a TOML file, that messages are labelled with, or "".
        file: .npz or .sigmf-meta file of all integrations, written at the end of a run, or "". Four million entries of
            covariances are kept for it; later ones are counted as not kept.

    Raises SnapshotError when an argument is out of range, ImagingError when an integration is too short (where the rate
    comes by a tag, the stream ends with that ``failure``), RecordingError when the file cannot be written.
    """

    def __init__(
        self, n_elements: int = 16, integration_s: float = 1.0, sample_rate: float = 0.0, frequency: float = 0.0,
        array: str = "", file: str = "",
    ) -> None:  # fmt: skip
        spec = load_spec(array, tunable=True) if array else None
        n = n_elements or (spec.n_elements if spec else 0)
        if n < 2 or (spec is not None and spec.n_elements != n) or not 0 <= sample_rate < math.inf:
            found = f"{n} streams, {array or 'no array'} and {sample_rate:g} Hz"
            raise SnapshotError(f"expected 2 streams at least, as many as the array, and a rate >= 0, found {found}")
        if not 0 <= frequency < math.inf:
            raise SnapshotError(f"expected a frequency >= 0, found {frequency}")
        gr.hier_block2.__init__(
            self, "correlator", gr.io_signature(n, n, gr.sizeof_gr_complex), gr.io_signature(0, 0, 0)
        )
        for port in _PORTS:
            self.message_port_register_hier_out(port)
        name = spec.name if spec else ""
        self.sink = integrating_sink(n, float(integration_s), float(sample_rate), float(frequency), name, file)
        if sample_rate:
            self.sink.integrator.lengths(float(sample_rate))  # refused now, where it is too short
        connect_merged(self, self.sink, n)
        for port in _PORTS:
            self.msg_connect(self.sink, port, self, port)

    @property
    def failure(self) -> Exception | None:
        """What ended the stream, if an exception did."""
        return self.sink.failure

    def status(self) -> dict[str, Any]:
        """Status message of now."""
        return self.sink.status()

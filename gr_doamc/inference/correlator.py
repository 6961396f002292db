"""Correlator: N streams in, their visibilities, integrated, out as messages."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pmt

from doamc.errors import SnapshotError
from doamc.imaging.integration import Integration
from doamc.spec import load_spec
from gr_doamc.inference.integrator import Integrator
from gr_doamc.inference.slice_sink import slice_sink
from gr_doamc.runtime.message_block import block_status
from gr_doamc.runtime.visibilities import visibilities_to_pmt

_VISIBILITIES, _STATUS = pmt.intern("visibilities"), pmt.intern("status")
_HEARTBEAT_S = 1.0
#: entries of the integrations that are kept for a file
_KEPT = 1 << 22


class correlator(slice_sink):
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
        integration_s: length of an integration, s.
        sample_rate: of the streams, Hz; 0 takes that of the tag ``rx_rate``.
        frequency: centre frequency, Hz; 0 takes that of the tag ``rx_freq``.
        array: name of a specification or path of a TOML file, that messages are labelled with, or "".
        file: .npz or .sigmf-meta file of all integrations, written at the end of a run, or "". Four million entries of
            covariances are kept for it; later ones are counted as not kept.

    Raises SnapshotError when an argument is out of range, RecordingError when the file cannot be written.
    """

    def __init__(
        self, n_elements: int = 16, integration_s: float = 1.0, sample_rate: float = 0.0, frequency: float = 0.0,
        array: str = "", file: str = "",
    ) -> None:  # fmt: skip
        spec = load_spec(array, tunable=True) if array else None
        n = n_elements or (spec.n_elements if spec else 0)
        if n < 2 or (spec is not None and spec.n_elements != n) or not 0 <= sample_rate < np.inf:
            found = f"{n} streams, {array or 'no array'} and {sample_rate:g} Hz"
            raise SnapshotError(f"expected 2 streams at least, as many as the array, and a rate >= 0, found {found}")
        if not 0 <= frequency < np.inf:
            raise SnapshotError(f"expected a frequency >= 0, found {frequency}")
        name = spec.name if spec else ""
        self.integrator = Integrator(n, float(integration_s), name, self._on_made, self._on_failure)
        slice_sink.__init__(self, n, self._part, float(sample_rate), float(frequency))
        self.message_port_register_out(_VISIBILITIES)
        if file:
            from doamc.imaging.array_files import check_visibilities

            check_visibilities(file)
        self._file, self._most = file, _KEPT // n**2
        self.last_error: str | None = None
        self._kept: list[Integration] = []
        self._not_kept, self._beat = 0, -_HEARTBEAT_S

    def start(self) -> bool:
        """Begin at the first sample; called by GNU Radio."""
        self.integrator.begin()
        self._kept, self._not_kept, self.last_error = [], 0, None
        return bool(super().start())

    def stop(self) -> bool:
        """Write the file; called by GNU Radio."""
        try:
            if self._file and self._kept:
                from doamc.imaging.array_files import write_visibilities

                write_visibilities(self._file, self._kept)
                self._kept = []
        except Exception as error:
            self._on_failure(error)
        return True

    def status(self, state: str = "running") -> dict[str, Any]:
        """Status message of now."""
        i = self.integrator
        counters = {
            "samples": i.samples, "left_out": self.across, "unfinished": i.unfinished, "integrations": i.made,
            "kept": len(self._kept), "not_kept": self._not_kept, "failed": i.failed,
        }  # fmt: skip
        return block_status(self, state, i.made - 1, counters, self.last_error)

    def _part(self, name: str) -> Any:
        """What the sink gives slices to: they are integrated at once, so that none waits."""
        return SimpleNamespace(setup=self.integrator, queue=self.integrator)

    def _on_made(self, made: Integration) -> None:
        self.message_port_pub(_VISIBILITIES, visibilities_to_pmt(made))
        if self._file and len(self._kept) < self._most:
            self._kept.append(made)
        else:
            self._not_kept += bool(self._file)
        if time.monotonic() >= self._beat + _HEARTBEAT_S:
            self._beat = time.monotonic()
            self.message_port_pub(_STATUS, pmt.to_pmt(self.status()))

    def _on_failure(self, error: Exception) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        self.logger.error(self.last_error)
        self.message_port_pub(_STATUS, pmt.to_pmt(self.status("error")))

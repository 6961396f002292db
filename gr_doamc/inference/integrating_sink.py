"""The stream side of `correlator`: integrates slices, posts the integrations and keeps them for a file."""

import time
from types import SimpleNamespace
from typing import Any

import pmt

from doamc.imaging.integration import Integration
from gr_doamc.inference.integrator import Integrator
from gr_doamc.inference.slice_sink import slice_sink
from gr_doamc.runtime.message_block import block_status
from gr_doamc.runtime.visibilities import visibilities_to_pmt

_VISIBILITIES, _STATUS = pmt.intern("visibilities"), pmt.intern("status")
_HEARTBEAT_S = 1.0
#: entries of the integrations that are kept for a file
_KEPT = 1 << 22


class integrating_sink(slice_sink):
    """See `correlator` for the arguments, messages and counters; array: a name, or ""."""

    def __init__(
        self, n_elements: int, integration_s: float, sample_rate: float, frequency: float, array: str, file: str
    ) -> None:
        self.integrator = Integrator(n_elements, integration_s, array, self._on_made, self._on_failure)
        slice_sink.__init__(self, n_elements, self._part, sample_rate, frequency)
        self.message_port_register_out(_VISIBILITIES)
        if file:
            from doamc.imaging.array_files import check_visibilities

            check_visibilities(file)
        self._file, self._most = file, _KEPT // n_elements**2
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

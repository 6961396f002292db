"""Coupling corrector: takes the mutual coupling out of N streams, by the newest estimate of it."""

import os
from typing import Any

import numpy as np
import pmt

from doamc.calibration import FadingMatrix, correction_matrix, load_coupling, mmse_regularisation, save_coupling
from doamc.errors import CalibrationError
from doamc.files.atomic import check_output
from doamc.spec.numbering import checked_channels
from doamc.text import shown
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.stream_arrays import channels_block
from gr_doamc.runtime.stream_guard import guarded_work

_TAG = "coupling_correction"


class coupling_corrector(channels_block):
    """Applies the regularised inverse of the coupling matrix to N complex streams and follows its estimates.

    W = (C^H C + lambda I)^-1 C^H on every sample, by BLAS on blocks of them. A new C comes in by a cross-fade that
    begins at a sample boundary, where every stream has a tag ``coupling_correction``: a dict of ``updates``, ``fade``
    (samples) and ``regularisation`` (lambda). No sample is lost or added, and none is delayed.

    Take the estimates from the streams **before** this block: behind it an estimator sees what coupling is left, not
    the coupling.

    C is that between the streams: where an estimate (key ``channels``) or a file of estimates says that streams are
    numbered otherwise than elements, its matrix is taken from elements to streams.

    Message port ``estimates``: those of a `doa_estimator`; one without a coupling is passed by, one of another array
    or size refused. Message port ``status``: a dict (schema ``doamc.status/1``) at every change, with ``condition``
    (number, of C), ``regularisation`` and counters.

    Args:
        n_elements: number of streams N.
        file: a coupling matrix to begin with, as this block or ``doamc estimate`` (.npz) writes it; where it ends in
            .toml, the newest one is written there at the end of a run. "" begins with the unit matrix.
        regularisation: lambda, or "mmse": the noise power over the sum of the source powers of each estimate.
        fade: samples of a cross-fade; 0 switches.
        array: name that estimates must bear; "" for any.

    Raises DoamcError when an argument or the file does not fit.
    """

    def __init__(
        self, n_elements: int = 8, file: str = "", regularisation: float | str = 0.001, fade: int = 4096,
        array: str = "",
    ) -> None:  # fmt: skip
        fixed = isinstance(regularisation, (int, float)) and 0 <= regularisation < np.inf
        if n_elements < 2 or fade < 0 or not (fixed or regularisation == "mmse"):
            raise CalibrationError(
                "expected n_elements >= 2, fade >= 0 and a regularisation >= 0 or mmse, found "
                f"{n_elements}, {fade} and {regularisation!r}"
            )
        channels_block.__init__(self, "coupling_corrector", n_elements)
        self._n, self._file, self._fade, self._array = n_elements, file, fade, array
        self._lambda = None if regularisation == "mmse" else float(regularisation)
        self._matrix = FadingMatrix(n_elements)
        self._next: tuple[np.ndarray, int, dict[str, Any]] | None = None
        #: coupling matrix (N, N) between streams that is, or will be after the next samples, taken out, and lambda
        self.coupling, self.regularisation = np.eye(n_elements, dtype=complex), 0.0
        self.failure: Exception | None = None
        self.last_error: str | None = None
        self.counters = {"updates": 0, "without_coupling": 0, "failed": 0}
        self.message_port_register_out(pmt.intern("status"))
        self.message_port_register_in(pmt.intern("estimates"))
        self.set_msg_handler(pmt.intern("estimates"), self._on_estimate)
        if self._keeps:
            check_output(file)
        if file and (os.path.exists(file) or not self._keeps):
            self.set_file(file, 0)

    def set_file(self, file: str, fade: int | None = None) -> None:
        """Take the coupling of a file, by a fade of its own or of the block. Raises CalibrationError if it has none."""
        coupling, kept = load_coupling(file, self._n)
        weight = self._lambda if self._lambda is not None else kept or 0.0
        self.set_coupling(coupling, weight, fade)
        self._file = file

    def set_coupling(self, coupling: Any, regularisation: float = 0.0, fade: int | None = None) -> None:
        """Take a coupling matrix (N, N) between streams from the next sample on; for any thread.

        Raises CalibrationError where it is none.
        """
        self._take(coupling, regularisation, fade, self.counters["updates"])

    def start(self) -> bool:
        """Tell what is taken out; called by GNU Radio."""
        self._publish()
        return channels_block.start(self)

    def stop(self) -> bool:
        """Keep the newest coupling; called by GNU Radio."""
        try:
            if self._keeps and self.counters["updates"]:
                save_coupling(self._file, self.coupling, self.regularisation, self._array)
        except Exception as error:
            self.failed(error)
        return True

    @guarded_work
    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Multiply; a new matrix comes in with the first sample."""
        if self._next is not None:
            (matrix, fade, told), self._next = self._next, None
            self._matrix.fade_to(matrix, fade)
            value = pmt.to_pmt(told)
            for port in range(self._n):
                self.add_item_tag(port, self.nitems_written(0), pmt.intern(_TAG), value)
        self._matrix.apply(input_items, output_items)
        return len(output_items[0])

    def failed(self, error: Exception) -> None:
        """Log what a message handler raised, and tell it."""
        self.counters["failed"] += 1
        self.last_error = f"{type(error).__name__}: {error}"
        self.logger.error(self.last_error)
        self._publish("error")

    def status(self, state: str = "running") -> dict[str, Any]:
        """Status message of now."""
        message = block_status(self, state, -1, self.counters, self.last_error)
        condition = float(np.linalg.cond(self.coupling))
        return message | {"condition": condition, "regularisation": self.regularisation}

    @property
    def _keeps(self) -> bool:
        return self._file.endswith(".toml")

    def _take(self, coupling: Any, regularisation: float, fade: int | None, updates: int) -> None:
        matrix = correction_matrix(coupling, regularisation)
        if len(matrix) != self._n:
            raise CalibrationError(f"expected a coupling matrix {self._n} x {self._n}, found {matrix.shape}")
        self.coupling, self.regularisation = np.asarray(coupling, complex), regularisation
        fade = self._fade if fade is None else fade
        self._next = matrix, fade, {"updates": updates, "fade": fade, "regularisation": regularisation}

    @guarded
    def _on_estimate(self, message: Any) -> None:
        estimate = pmt.to_python(message)
        if not isinstance(estimate, dict) or "coupling" not in estimate:
            raise CalibrationError(f"expected an estimate, found {shown(estimate)}; connect a doa_estimator")
        if self._array and estimate.get("array") != self._array:
            raise CalibrationError(f"expected estimates of {self._array!r}, found {estimate.get('array')!r}")
        if estimate["coupling"] is None:
            self.counters["without_coupling"] += 1
            return
        coupling = np.array(estimate["coupling"]["re"]) + 1j * np.array(estimate["coupling"]["im"])
        if "channels" in estimate:
            channels = checked_channels(list(estimate["channels"]), len(coupling), "channels of an estimate")
            coupling = coupling[np.ix_(channels, channels)]
        weight = self._lambda
        if weight is None:
            powers = [source["power_db"] for source in estimate["sources"]]
            weight = mmse_regularisation(estimate["noise_power"], powers)
        updates = self.counters["updates"] + 1
        self._take(coupling, weight, None, updates)
        self.counters["updates"] = updates
        self._publish()

    def _publish(self, state: str = "running") -> None:
        self.message_port_pub(pmt.intern("status"), pmt.to_pmt(self.status(state)))

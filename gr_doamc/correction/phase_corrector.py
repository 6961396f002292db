"""Phase corrector: aligns the channels of a receiver by a signal that all of them hear, and keeps the result."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pmt

from doamc.calibration import Aligner, ChannelCalibration, load_channels, reference_response, save_channels
from doamc.errors import CalibrationError
from doamc.files.atomic import check_output
from doamc.text import shown
from gr_doamc.correction.alignment import Alignment
from gr_doamc.runtime.message_block import block_status, guarded
from gr_doamc.runtime.stream_arrays import channels_block
from gr_doamc.runtime.stream_guard import guarded_work

_TAG = "phase_correction"


class phase_corrector(channels_block):
    """Aligns gains, phases and delays of N complex streams by a common noise source or one emitter of known direction.

    An alignment takes ``n_samples`` of the streams as they come in. Without ``max_lag`` it applies from the very next
    sample; with it the delays are sought in a thread of their own, and it applies from the first sample of the work
    that follows. Every stream has a tag ``phase_correction`` there: a dict of ``gain_db``, ``phase_deg``,
    ``lag_samples`` (of the channel, relative to channel 0) and ``ratio_db``. Before that streams pass as they are, or
    as the last alignment has them. No sample is lost or added; a channel that is early is delayed.

    The ratio of the two largest eigenvalues of the covariance tells how nearly all channels saw one signal. Below
    ``min_ratio_db`` the alignment is refused, with the reason, and nothing changes.

    Message port ``align``: any message begins an alignment; a dict may hold ``reference`` and ``azimuth_deg``. Message
    port ``status``: a dict (schema ``doamc.status/1``) at every change, with ``alignment`` (none, stored, collecting,
    aligned, refused), ``calibration`` (gains, phases, lags, deviations, ratio) and counters.

    Args:
        n_elements: number of streams N.
        reference: "noise", the same signal into all channels; or "emitter", one in the direction ``azimuth_deg``.
        array: name of the specification or path of a TOML file, for an emitter.
        azimuth_deg: direction of the emitter, degrees.
        coupling: file of a coupling matrix, for an emitter; "" for none.
        n_samples: samples of an alignment.
        skip: samples passed by first when aligning at the start: receivers settle.
        max_lag: delays are sought up to so many samples, for which a noise source is needed; 0 for none.
        min_ratio_db: least ratio of the eigenvalues, dB.
        at_start: align at the start.
        file: where the alignment is kept; what it holds applies from the first sample. "" for none.

    Raises DoamcError when an argument or the file does not fit.
    """

    def __init__(
        self, n_elements: int = 5, reference: str = "noise", array: str = "", azimuth_deg: float = 0.0,
        coupling: str = "", n_samples: int = 65536, skip: int = 0, max_lag: int = 0, min_ratio_db: float = 10.0,
        at_start: bool = True, file: str = "",
    ) -> None:  # fmt: skip
        if n_elements < 2 or skip < 0 or max_lag < 0 or n_samples < max(2 * n_elements + 4 * max_lag, 16):
            raise CalibrationError(
                "expected n_elements >= 2, skip and max_lag >= 0 and n_samples >= 16 and 2 n_elements + 4 max_lag, "
                f"found {n_elements}, {skip}, {max_lag} and {n_samples}"
            )
        channels_block.__init__(self, "phase_corrector", n_elements)
        self._n, self._skip, self._at_start, self._file = n_elements, skip, at_start, file
        self._reference: dict[str, Any] = {
            "reference": reference, "n_channels": n_elements, "array": array, "azimuth_deg": azimuth_deg,
            "coupling": coupling,
        }  # fmt: skip
        self._wanted = reference_response(**self._reference)
        self._aligner = Aligner(n_elements, 2 * max_lag)
        self._alignment = Alignment(n_elements, n_samples, max_lag, float(min_ratio_db))
        self._writer: threading.Thread | None = None
        #: what applies now; the word of ``alignment`` on ``status``
        self.calibration: ChannelCalibration | None = None
        self._untagged: ChannelCalibration | None = None
        self.alignment = "none"
        self.failure: Exception | None = None
        self.last_error: str | None = None
        self.counters = {"aligned": 0, "refused": 0, "failed": 0}
        self.message_port_register_out(pmt.intern("status"))
        self.message_port_register_in(pmt.intern("align"))
        self.set_msg_handler(pmt.intern("align"), self._on_align)
        if file:
            check_output(file)
        if file and Path(file).exists():
            stored = load_channels(file, n_elements)
            if stored.delays.max() > 2 * max_lag:
                raise CalibrationError(f"{file} has delays of up to {stored.delays.max()} samples; set max_lag")
            self._use(stored, "stored")

    def start(self) -> bool:
        """Begin to align, if that is wanted at the start; called by GNU Radio."""
        if self._at_start:
            self._alignment.begin(*self._wanted, self._skip)
            self.alignment = "collecting"
        self._publish()
        return channels_block.start(self)

    def stop(self) -> bool:
        """Wait for what runs beside the stream; called by GNU Radio."""
        self._alignment.join(10.0)
        self._settle()
        if self._writer is not None:
            self._writer.join(10.0)
        if self.alignment == "collecting":
            missing = self._alignment.missing
            self._refuse(CalibrationError(f"the stream ended before the alignment, {missing} samples short of it"))
        return True

    @guarded_work
    def work(self, input_items: list[np.ndarray], output_items: list[np.ndarray]) -> int:
        """Align the samples, and collect them where an alignment is under way."""
        count, done = len(output_items[0]), 0
        while True:
            self._settle()
            if done == count:
                return count
            if self._untagged is not None:
                self._tag(self.nitems_written(0) + done, self._untagged)
                self._untagged = None
            part = slice(done, done + self._alignment.take(input_items, done))
            self._aligner.apply([x[part] for x in input_items], [y[part] for y in output_items])
            done = part.stop

    def failed(self, error: Exception) -> None:
        """Log what a message handler raised, and tell it."""
        self.counters["failed"] += 1
        self._tell(error)

    def status(self, state: str = "") -> dict[str, Any]:
        """Status message of now."""
        state = state or ("running" if self.calibration is not None else "idle")
        told = None if self.calibration is None else self.calibration.as_dict()
        message = block_status(self, state, -1, self.counters, self.last_error)
        return message | {"alignment": self.alignment, "calibration": told}

    def _use(self, calibration: ChannelCalibration, alignment: str) -> None:
        self._aligner.set(calibration.weights, calibration.delays)
        self.calibration, self.alignment, self._untagged = calibration, alignment, calibration

    def _settle(self) -> None:
        """Use what an alignment has found, if one is done, or tell why it was refused."""
        found = self._alignment.result()
        if isinstance(found, Exception):
            self._refuse(found)
        elif found is not None:
            self._accept(found)

    def _accept(self, found: ChannelCalibration) -> None:
        self._use(found, "aligned")
        self.counters["aligned"] += 1
        self.last_error = None
        if self._file:  # beside the stream, for disks are slow
            self._writer = threading.Thread(target=self._keep, args=(found,), name="doamc-keep", daemon=True)
            self._writer.start()
        self._publish()

    def _refuse(self, error: Exception) -> None:
        self.counters["refused"] += 1
        self.alignment = "refused"
        self._tell(error)

    def _keep(self, calibration: ChannelCalibration) -> None:
        try:
            save_channels(self._file, calibration)
        except Exception as error:
            self.failed(error)

    def _tag(self, offset: int, calibration: ChannelCalibration) -> None:
        told = calibration.as_dict()
        for port in range(self._n):
            value = {key: told[key][port] for key in ("gain_db", "phase_deg", "lag_samples")}
            self.add_item_tag(port, offset, pmt.intern(_TAG), pmt.to_pmt(value | {"ratio_db": told["ratio_db"]}))

    @guarded
    def _on_align(self, message: Any) -> None:
        # PMT takes every pair for a dict; only a list of pairs is one
        is_dict = pmt.is_pair(message) and pmt.is_pair(pmt.car(message))
        wishes = pmt.to_python(message) if is_dict else {}
        if not wishes.keys() <= {"reference", "azimuth_deg"}:
            raise CalibrationError(f"expected a dict of reference and azimuth_deg, found {shown(wishes)}")
        if self._alignment.busy:
            raise CalibrationError("an alignment is being worked out; try again when it is done")
        self._wanted = reference_response(**(self._reference | wishes))
        self._alignment.begin(*self._wanted)
        self.alignment = "collecting"
        self._publish()

    def _tell(self, error: Exception) -> None:
        self.last_error = f"{type(error).__name__}: {error}"
        self.logger.error(self.last_error)
        self._publish("error")

    def _publish(self, state: str = "") -> None:
        self.message_port_pub(pmt.intern("status"), pmt.to_pmt(self.status(state)))

"""A stream kept as a SigMF recording: one capture wherever something lies between its samples."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.snapshots.growing_record import GrowingRecord, moment
from doamc.spec import ArraySpec

#: captures of a recording; more gaps than these are no recording that anybody can use
MAX_CAPTURES = 100_000


class StreamRecorder(GrowingRecord):
    """Appends samples (N, T) to a recording; see `GrowingRecord` for its files.

    A capture begins with the first samples, after every gap and where the centre frequency changes; it tells its time
    and its frequency. description: of the recording.
    Attributes: form (number of channels and sample rate in Hz, None before the first samples).
    """

    def __init__(self, path: str | Path, array: str = "", description: str = "", spec: ArraySpec | None = None) -> None:
        super().__init__(path, array, spec)
        self._description = description
        self.form: tuple[int, float] | None = None
        self._frequency_hz = 0.0

    def write(
        self, samples: NDArray[np.complex64], sample_rate_hz: float, frequency_hz: float, time: float, gap: bool
    ) -> None:
        """Append samples; time: Unix time of the first, s; gap: something lies between them and those before.

        Raises RecordingError when the number of channels or the rate is not that of the first, or the disk is full: the
        samples are then not in the recording, and later ones are tried again.
        """
        form = samples.shape[0], sample_rate_hz
        self._begin(*form, self._description)
        self.form = self.form or form
        if form != self.form:
            expected = "{} channels at {:g} Hz".format(*self.form)
            raise RecordingError(f"{self.path}: expected {expected}, found {form[0]} channels at {form[1]:g} Hz")
        capture: dict[str, Any] | None = None
        if gap or not self.captures or frequency_hz != self._frequency_hz:
            if self.captures >= MAX_CAPTURES:
                raise RecordingError(f"{self.path}: expected at most {MAX_CAPTURES} gaps, found more")
            capture = {"core:sample_start": self.samples, "core:frequency": frequency_hz, "core:datetime": moment(time)}
        self._append(samples, capture)
        self._frequency_hz = frequency_hz

    def tell(self, key: str, value: Any) -> None:
        """Have a key of the ``doamc`` namespace in the global object, if the recording is finished by `close`."""
        self._world[f"doamc:{key}"] = value

"""Batches of a stream kept as a SigMF recording: one capture a batch, so that ``doamc estimate`` finds them again."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.snapshots.growing_record import GrowingRecord, moment
from doamc.spec import ArraySpec

#: batches whose place is known, so that estimates that come later can be told there
REMEMBERED = 4096


class BatchRecorder(GrowingRecord):
    """Appends batches (N, L) to a recording; see `GrowingRecord` for its files.

    The samples of one batch follow those of the last, whatever lay between them in the stream: a capture each tells its
    time, its centre frequency and, as ``doamc:seq`` and ``doamc:sample_time``, its number and stream time.
    limit: batches that are kept; later ones are counted as left out.
    Attributes: written, left_out, sample_of (first sample by number of the batch, of the last `REMEMBERED`).
    """

    def __init__(self, path: str | Path, limit: int = 100_000, array: str = "", spec: ArraySpec | None = None) -> None:
        if limit < 1:
            raise RecordingError(f"expected a limit of at least 1 batch, found {limit}")
        super().__init__(path, array, spec)
        self._limit = limit
        self._shape: tuple[int, ...] | None = None
        self.written = self.left_out = 0
        self.sample_of: dict[int, int] = {}

    def write(
        self, snapshots: NDArray[np.complex64], seq: int, sample_time: float, sample_rate_hz: float,
        frequency_hz: float | None = None, time: float | None = None,
    ) -> None:  # fmt: skip
        """Append a batch (N, L); time: Unix time of its first sample, s.

        Raises RecordingError when N or L is not that of the first batch, or the disk is full: the batch is then not in
        the recording, and later ones are tried again.
        """
        channels, length = snapshots.shape
        self._begin(channels, sample_rate_hz, f"Batches of {length} snapshots, one a capture", batch_length=length)
        self._shape = self._shape or snapshots.shape
        if snapshots.shape != self._shape:
            raise RecordingError(f"{self.path}: expected batches of shape {self._shape}, found {snapshots.shape}")
        if self.written >= self._limit:
            self.left_out += 1
            return
        start = self.samples
        capture: dict[str, Any] = {"core:sample_start": start, "doamc:seq": seq, "doamc:sample_time": sample_time}
        if frequency_hz is not None:
            capture["core:frequency"] = frequency_hz
        if time:
            capture["core:datetime"] = moment(time)
        self._append(snapshots, capture)
        self.sample_of[seq] = start
        if len(self.sample_of) > REMEMBERED:
            del self.sample_of[next(iter(self.sample_of))]
        self.written += 1

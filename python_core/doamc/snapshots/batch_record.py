"""Batches of a stream kept as a SigMF recording: one capture a batch, so that ``doamc estimate`` finds them again."""

import json
import os
import tempfile
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.snapshots.atomic import check_output, whole_file


class BatchRecorder:
    """Appends batches (N, L) to a recording of complex floats; a context manager.

    path: the ``.sigmf-meta`` file. The samples of one batch follow those of the last, whatever lay between them in the
    stream: a capture each tells its time, its centre frequency and, as ``doamc:seq`` and ``doamc:sample_time``, its
    number and stream time. `close` gives both files their names, so that they appear whole or not at all.
    limit: batches that are kept; later ones are counted as left out. array: name for ``doamc:array``.
    Attributes: written, left_out, sample_of (first sample by number of the batch).
    Raises RecordingError when the files cannot be made.
    """

    def __init__(self, path: str | Path, limit: int = 100_000, array: str = "") -> None:
        self.path, self._limit, self._array = Path(path), limit, array
        if self.path.suffix != ".sigmf-meta" or limit < 1:
            raise RecordingError(f"expected a .sigmf-meta file and a limit of at least 1, found {path} and {limit}")
        self._data = self.path.with_suffix(".sigmf-data")
        for file in (self.path, self._data):
            check_output(file)
        try:
            name = f".{self._data.name}."
            handle, self._partial = tempfile.mkstemp(dir=self.path.parent, prefix=name, suffix=".part")
        except OSError as error:
            raise RecordingError(f"cannot write {self._data}: {error.strerror}") from error
        self._file = os.fdopen(handle, "wb")
        self.written = self.left_out = 0
        self.sample_of: dict[int, int] = {}
        self._captures: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._shape: tuple[int, int] | None = None
        self._rate_hz: float | None = None

    def write(
        self, snapshots: NDArray[np.complex64], seq: int, sample_time: float, sample_rate_hz: float,
        frequency_hz: float | None = None, time: float | None = None,
    ) -> None:  # fmt: skip
        """Append a batch (N, L); time: Unix time of its first sample, s.

        Raises RecordingError when N or L is not that of the first batch, or the disk is full.
        """
        if self._shape is None:
            self._shape, self._rate_hz = (snapshots.shape[0], snapshots.shape[1]), sample_rate_hz
        if snapshots.shape != self._shape:
            raise RecordingError(f"{self.path}: expected batches of shape {self._shape}, found {snapshots.shape}")
        if self.written >= self._limit:
            self.left_out += 1
            return
        try:
            self._file.write(np.ascontiguousarray(snapshots.T, "<c8").tobytes())
        except OSError as error:
            raise RecordingError(f"cannot write {self._data}: {error.strerror}") from error
        start = self.written * self._shape[1]
        capture: dict[str, Any] = {"core:sample_start": start, "doamc:seq": seq, "doamc:sample_time": sample_time}
        if frequency_hz is not None:
            capture["core:frequency"] = frequency_hz
        if time:
            moment = datetime.fromtimestamp(time, timezone.utc)
            capture["core:datetime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._captures.append(capture)
        self.sample_of[seq] = start
        self.written += 1

    def annotate(self, annotations: list[dict[str, Any]]) -> None:
        """Keep annotations for the metadata."""
        self._annotations += annotations

    def close(self) -> None:
        """Write the metadata and give the files their names; without a batch nothing is left. Again is harmless."""
        if self._file.closed:
            return
        try:
            self._file.close()
            if self._shape is None:
                return
            os.chmod(self._partial, 0o644)
            os.replace(self._partial, self._data)
        except OSError as error:
            raise RecordingError(f"cannot write {self._data}: {error.strerror}") from error
        finally:
            with suppress(OSError):
                os.unlink(self._partial)
        world: dict[str, Any] = {
            "core:datatype": "cf32_le", "core:version": "1.0.0", "core:sample_rate": self._rate_hz,
            "core:num_channels": self._shape[0], "core:recorder": "doamc",
            "core:description": f"Batches of {self._shape[1]} snapshots, one a capture",
            "core:extensions": [
                {"name": "spatial", "version": "1.1.0", "optional": True},
                {"name": "doamc", "version": "0.1.0", "optional": True},
            ],
            "doamc:sample_count": self.written * self._shape[1], "doamc:batch_length": self._shape[1],
        }  # fmt: skip
        if self._array:
            world["doamc:array"] = self._array
        ordered = sorted(self._annotations, key=lambda a: a["core:sample_start"])
        table = {"global": world, "captures": self._captures, "annotations": ordered}
        with whole_file(self.path) as file:
            file.write(json.dumps(table, indent=1).encode())

    def __enter__(self) -> "BatchRecorder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

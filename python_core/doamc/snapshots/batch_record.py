"""Batches of a stream kept as a SigMF recording: one capture a batch, so that ``doamc estimate`` finds them again."""

import errno
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.files.atomic import check_output
from doamc.files.line_file import LineFile
from doamc.files.lock import Lock
from doamc.snapshots.batch_journal import batch_bytes, finish, parts_of, recover_parts
from doamc.snapshots.sigmf_geometry import GEOMETRY
from doamc.spec import ArraySpec
from doamc.spec.numbering import renumbered
from doamc.spec.positions import stream_positions_m

#: room kept for the metadata: so many bytes, and twice the journal
_RESERVE = 8192


class BatchRecorder:
    """Appends batches (N, L) to a recording of complex floats; a context manager.

    path: the ``.sigmf-meta`` file. The samples of one batch follow those of the last, whatever lay between them in the
    stream: a capture each tells its time, its centre frequency and, as ``doamc:seq`` and ``doamc:sample_time``, its
    number and stream time. `close` gives both files their names, so that they appear whole or not at all; until then
    they are parts (see `batch_journal`), which a process that is killed leaves behind and the next recorder of the same
    path finishes under another name. Room on the disk for the metadata is kept with every batch.
    limit: batches that are kept; later ones are counted as left out. array: name for ``doamc:array``. spec: its
    specification, to tell where the antennas of the channels stand (in the first capture with a frequency). Channels
    are those of the stream, whatever elements they come from (``doamc:channels``).
    Attributes: written, left_out, sample_of (first sample by number of the batch), recovered (what was finished for an
    earlier recorder, or None).
    Raises RecordingError when the files cannot be made, or another recorder is making them.
    """

    def __init__(self, path: str | Path, limit: int = 100_000, array: str = "", spec: ArraySpec | None = None) -> None:
        self.path, self._limit, self._array, self._spec = Path(path), limit, array, spec
        if self.path.suffix != ".sigmf-meta" or limit < 1:
            raise RecordingError(f"expected a .sigmf-meta file and a limit of at least 1, found {path} and {limit}")
        for file in (self.path, self.path.with_suffix(".sigmf-data")):
            check_output(file)
        self.written = self.left_out = 0
        self.sample_of: dict[int, int] = {}
        self._placed = False
        self._captures: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._world: dict[str, Any] = {}
        self._journal: LineFile | None = None
        self._file, self._room, self._told, self._closed = -1, 0, 0, False
        self._lock = Lock(self.path)
        try:
            self.recovered = recover_parts(self.path)
        except RecordingError:
            self._lock.release()
            raise

    def write(
        self, snapshots: NDArray[np.complex64], seq: int, sample_time: float, sample_rate_hz: float,
        frequency_hz: float | None = None, time: float | None = None,
    ) -> None:  # fmt: skip
        """Append a batch (N, L); time: Unix time of its first sample, s.

        Raises RecordingError when N or L is not that of the first batch, or the disk is full: the batch is then not in
        the recording, and later ones are tried again.
        """
        if self._closed:
            raise RecordingError(f"{self.path} is closed")
        if self._journal is None:
            self._begin(snapshots.shape[0], snapshots.shape[1], sample_rate_hz)
        shape = (self._world["core:num_channels"], self._world["doamc:batch_length"])
        if snapshots.shape != shape:
            raise RecordingError(f"{self.path}: expected batches of shape {shape}, found {snapshots.shape}")
        if self.written >= self._limit:
            self.left_out += 1
            return
        start = self.written * shape[1]
        capture: dict[str, Any] = {"core:sample_start": start, "doamc:seq": seq, "doamc:sample_time": sample_time}
        if frequency_hz is not None:
            capture["core:frequency"] = frequency_hz
        capture |= self._geometry(shape[0], frequency_hz)
        if time:
            moment = datetime.fromtimestamp(time, timezone.utc)
            capture["core:datetime"] = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        data = np.ascontiguousarray(snapshots.T, "<c8").tobytes()
        self._put(data, self.written * len(data), {"capture": capture})
        self._captures.append(capture)
        self._placed = self._placed or GEOMETRY in capture
        self.sample_of[seq] = start
        self.written += 1

    def annotate(self, annotations: list[dict[str, Any]]) -> None:
        """Keep annotations for the metadata. Raises RecordingError when the disk is full."""
        for annotation in annotations:
            self._put(b"", 0, {"annotation": annotation})
            self._annotations.append(annotation)

    def close(self) -> None:
        """Write the metadata and give the files their names; without a batch nothing is left. Again is harmless.

        Raises RecordingError when that fails; ``doamc recover`` then finishes the recording once it can be.
        """
        journal, self._journal, self._closed = self._journal, None, True
        try:
            if journal is None:
                return
            journal.close()
            os.close(self._file)
            if self.written:
                table = {"global": self._world, "captures": self._captures, "annotations": self._annotations}
                finish(self.path, self.path, table)
            else:
                for part in parts_of(self.path):
                    part.unlink(missing_ok=True)
        except (OSError, RecordingError) as error:
            raise RecordingError(f"{error}; when that is mended: doamc recover {self.path}") from error
        finally:
            self._lock.release()

    def __enter__(self) -> "BatchRecorder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _begin(self, channels: int, length: int, rate_hz: float) -> None:
        journal, samples = parts_of(self.path)
        world: dict[str, Any] = {
            "core:datatype": "cf32_le", "core:version": "1.0.0", "core:sample_rate": rate_hz,
            "core:num_channels": channels, "core:recorder": "doamc",
            "core:description": f"Batches of {length} snapshots, one a capture",
            "core:extensions": [
                {"name": "spatial", "version": "1.1.0", "optional": True},
                {"name": "doamc", "version": "0.1.0", "optional": True},
            ],
            "doamc:batch_length": length,
        }  # fmt: skip
        if self._array:
            world["doamc:array"] = self._array
        if self._spec is not None and renumbered(self._spec.channels):
            world["doamc:channels"] = list(self._spec.channels)
        lines = LineFile(journal)
        try:
            lines.append(_line({"global": world}))
            self._file = os.open(samples, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o666)
        except (OSError, RecordingError) as error:
            lines.close()
            journal.unlink(missing_ok=True)
            if isinstance(error, RecordingError):
                raise
            raise RecordingError(f"cannot write {samples}: {error.strerror}") from error
        self._world, self._journal = world, lines

    def _geometry(self, channels: int, frequency_hz: float | None) -> dict[str, Any]:
        """Where the antennas of the channels stand, as a part of a capture; empty where that is not known."""
        if self._spec is None or self._spec.n_elements != channels or self._placed:
            return {}
        points = stream_positions_m(self._spec, frequency_hz)
        return {} if points is None else {GEOMETRY: [{"point": p} for p in points.tolist()]}

    def _put(self, data: bytes, place: int, about: dict[str, Any]) -> None:
        """Write samples at a place of the data, then a line of the journal, and keep room for the metadata."""
        if self._journal is None:
            raise RecordingError(f"{self.path} is closed or was not begun")
        line = _line(about)
        end, told = max(place + len(data), self.written * batch_bytes(self._world)), self._told + len(line)
        try:
            self._keep_room(end + _RESERVE + 2 * told)
            done = 0
            while done < len(data):
                done += os.pwrite(self._file, data[done:], place + done)
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from error
        self._journal.append(line)
        self._told = told

    def _keep_room(self, size: int) -> None:
        if size > self._room:
            try:
                os.posix_fallocate(self._file, self._room, size - self._room)
            except (AttributeError, OSError) as error:
                if getattr(error, "errno", errno.ENOSYS) not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                    raise
            self._room = size


def _line(about: dict[str, Any]) -> bytes:
    return json.dumps(about).encode() + b"\n"

"""A SigMF recording of complex floats that grows by samples of all channels."""

import errno
import json
import os
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.files.atomic import check_named, check_output
from doamc.files.line_file import LineFile
from doamc.files.lock import Lock
from doamc.snapshots.journal import finish, frame_bytes, parts_of, read_journal, recover_parts
from doamc.snapshots.sigmf_geometry import GEOMETRY
from doamc.spec import ArraySpec
from doamc.spec.numbering import renumbered
from doamc.spec.positions import stream_positions_m

#: room kept for the metadata: so many bytes, and twice the journal
_RESERVE = 8192


class GrowingRecord:
    """What recorders share; a context manager.

    path: the ``.sigmf-meta`` file. array: name for ``doamc:array``. spec: its specification, to tell where the antennas
    of the channels stand (in the first capture with a frequency). Channels are those of the stream, whatever elements
    they come from (``doamc:channels``).
    `close` gives both files their names, so that they appear whole or not at all; until then they are parts (see
    `journal`), which a process that is killed leaves behind and the next recorder of the same path finishes under
    another name. Room on the disk for the metadata is kept with everything that is written.
    Attributes: samples (of each channel, so far), captures (how many there are), recovered (what was finished for an
    earlier recorder, or None).
    Raises RecordingError when the files cannot be made, or another recorder is making them.
    """

    def __init__(self, path: str | Path, array: str = "", spec: ArraySpec | None = None) -> None:
        self.path, self._array, self._spec = Path(path), array, spec
        check_named(path)
        if self.path.suffix != ".sigmf-meta":
            raise RecordingError(f"expected a .sigmf-meta file, found {path}")
        for file in (self.path, self.path.with_suffix(".sigmf-data")):
            check_output(file)
        self.samples = 0
        self._placed = False
        self.captures = 0
        self._world: dict[str, Any] = {}
        self._journal: LineFile | None = None
        self._file, self._room, self._told, self._closed = -1, 0, 0, False
        self._lock = Lock(self.path)
        try:
            self.recovered = recover_parts(self.path)
        except RecordingError:
            self._lock.release()
            raise

    def annotate(self, annotations: list[dict[str, Any]]) -> None:
        """Keep annotations for the metadata. Raises RecordingError when the disk is full."""
        for annotation in annotations:
            self._put(b"", {"annotation": annotation})

    def close(self) -> None:
        """Write the metadata and give the files their names; without a sample nothing is left. Again is harmless.

        Raises RecordingError when that fails; ``doamc recover`` then finishes the recording once it can be.
        """
        journal, self._journal, self._closed = self._journal, None, True
        try:
            if journal is None:
                return
            journal.close()
            os.close(self._file)
            if self.samples:
                told = read_journal(parts_of(self.path)[0])  # not kept in memory, which would grow with the recording
                finish(self.path, self.path, told | {"global": self._world, "samples": self.samples})
            else:
                for part in parts_of(self.path):
                    part.unlink(missing_ok=True)
        except (OSError, RecordingError) as error:
            raise RecordingError(f"{error}; when that is mended: doamc recover {self.path}") from error
        finally:
            self._lock.release()

    def __enter__(self) -> "GrowingRecord":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _begin(self, channels: int, rate_hz: float, description: str, **keys: Any) -> None:
        """Make the parts, unless there are some. keys: further ones of the ``doamc`` namespace."""
        if self._closed:
            raise RecordingError(f"{self.path} is closed")
        if self._journal is not None:
            return
        journal, samples = parts_of(self.path)
        world: dict[str, Any] = {
            "core:datatype": "cf32_le", "core:version": "1.0.0", "core:sample_rate": rate_hz,
            "core:num_channels": channels, "core:recorder": "doamc", "core:description": description,
            "core:extensions": [
                {"name": "spatial", "version": "1.1.0", "optional": True},
                {"name": "doamc", "version": "0.1.0", "optional": True},
            ],
        }  # fmt: skip
        world |= {f"doamc:{key}": value for key, value in keys.items()}
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

    def _append(self, samples: NDArray[np.complex64], capture: dict[str, Any] | None) -> None:
        """Append samples (N, T), with which a capture begins, or none."""
        data = np.ascontiguousarray(samples.T, "<c8").data.cast("B")
        if capture is not None:
            capture |= self._geometry(samples.shape[0], capture.get("core:frequency"))
        about = {} if capture is None else {"capture": capture}
        self._put(data, about, {"samples": self.samples + samples.shape[1]})
        if capture is not None:
            self.captures += 1
            self._placed = self._placed or GEOMETRY in capture
        self.samples += samples.shape[1]

    def _geometry(self, channels: int, frequency_hz: float | None) -> dict[str, Any]:
        """Where the antennas of the channels stand, as a part of a capture; empty where that is not known."""
        if self._spec is None or self._spec.n_elements != channels or self._placed:
            return {}
        points = stream_positions_m(self._spec, frequency_hz)
        return {} if points is None else {GEOMETRY: [{"point": p.tolist()} for p in points]}

    def _put(self, data: Any, *about: dict[str, Any]) -> None:
        """Write samples behind those that count, then lines of the journal, and keep room for the metadata."""
        if self._journal is None:
            raise RecordingError(f"{self.path} is closed or was not begun")
        lines = b"".join(_line(line) for line in about if line)
        place, told = self.samples * frame_bytes(self._world), self._told + len(lines)
        try:
            self._keep_room(place + len(data) + _RESERVE + 2 * told)
            done = 0
            while done < len(data):
                done += os.pwrite(self._file, data[done:], place + done)
        except OSError as error:
            raise RecordingError(f"cannot write {self.path}: {error.strerror}") from error
        self._journal.append(lines)
        self._told = told

    def _keep_room(self, size: int) -> None:
        if size > self._room:
            try:
                os.posix_fallocate(self._file, self._room, size - self._room)
            except (AttributeError, OSError) as error:
                if getattr(error, "errno", errno.ENOSYS) not in (errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                    raise
            self._room = size


def moment(time: float) -> str:
    """``core:datetime`` of a Unix time, s."""
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _line(about: dict[str, Any]) -> bytes:
    return json.dumps(about).encode() + b"\n"

"""SigMF collections: recordings made at one time, one file a channel, taken together as an array."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.files.remote import file_at
from doamc.snapshots.segments import Capture, Segment, lay_out
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_metadata import metadata_object, read_metadata
from doamc.text import shown

COLLECTION = ".sigmf-collection"
_MAX_STREAMS = 1024


class Collection(Capture):
    """The recordings of a ``.sigmf-collection`` side by side: their channels in the order of ``core:streams``.

    They must have the same sample rate and captures. All end with the shortest, which a remark says.
    n_channels, verify: as in `Recording`. Raises RecordingError when one cannot be read, or they do not fit together.
    """

    def __init__(self, path: str | Path, n_channels: int | None = None, verify: bool = True) -> None:
        super().__init__()
        self.path = file_at(path)
        self.parts = [Recording(self._meta(stream), verify=verify) for stream in streams_of(self.path)]
        self.remarks += [remark for part in self.parts for remark in part.remarks]
        self.n_channels = sum(part.n_channels for part in self.parts)
        if n_channels is not None and self.n_channels != n_channels:
            found = f"found {self.n_channels} in {len(self.parts)} recordings; check --array"
            raise RecordingError(f"{self.path}: expected {n_channels} channels for this array, {found}")
        first = self.parts[0]
        self.n_samples = min(part.n_samples for part in self.parts)
        self.sample_rate_hz, self.array = first.sample_rate_hz, first.array
        self.segments = _shortened(first, self.n_samples)
        if max(part.n_samples for part in self.parts) > self.n_samples:
            self.remarks.append(f"{self.path}: recordings differ in length; {self.n_samples} samples of each are read")
        for part in self.parts[1:]:
            agree = part.sample_rate_hz == self.sample_rate_hz
            if not agree or _tuned(part, self.n_samples) != _tuned(first, self.n_samples):
                raise RecordingError(
                    f"{self.path}: expected recordings of one sample rate and the same captures (start and frequency), "
                    f"found others in {part.path.name}"
                )
            times = (first.segments[0].time, part.segments[0].time)
            if None not in times and abs(float(times[0] or 0) - float(times[1] or 0)) * (self.sample_rate_hz or 0) > 1:
                self.remarks.append(f"{self.path}: recordings begin at different core:datetime; taken as simultaneous")

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""
        if start + count > self.n_samples:
            found = f"{start}..{start + count}"
            raise RecordingError(f"{self.path}: expected samples within 0..{self.n_samples}, found {found}")
        return np.concatenate([part.read(start, count) for part in self.parts])

    @property
    def positions_m(self) -> NDArray[np.float64] | None:
        """Positions (N, 3) of all channels' antennas, m; None unless every recording tells them."""
        points = [p for part in self.parts if (p := part.positions_m) is not None]
        return np.concatenate(points) if len(points) == len(self.parts) else None

    def _meta(self, stream: tuple[str, str | None]) -> Path:
        name, told = stream
        path = self.path.parent / (name.removesuffix(".sigmf-meta") + ".sigmf-meta")
        if told is not None and hashlib.sha512(read_metadata(path)).hexdigest() != told.lower():
            raise RecordingError(
                f"{self.path}: {path.name} does not agree with the hash in the collection; it was changed since: renew "
                "or remove the hash"
            )
        return path


def streams_of(path: Path) -> list[tuple[str, str | None]]:
    """Names of a collection's recordings, with the hashes of their metadata. Raises RecordingError."""
    table = metadata_object(read_metadata(path), path).get("collection")
    streams = table.get("core:streams") if isinstance(table, dict) else None
    if not isinstance(streams, list) or not 1 <= len(streams) <= _MAX_STREAMS:
        raise RecordingError(f"{path}: expected a collection with 1 to {_MAX_STREAMS} core:streams")
    return [_stream(stream, path) for stream in streams]


def _stream(stream: Any, path: Path) -> tuple[str, str | None]:
    name, told = None, None
    if isinstance(stream, dict):
        name, told = stream.get("name"), stream.get("hash")
    elif isinstance(stream, list) and stream:  # as version 1.0 of the standard wrote them
        name, told = stream[0], stream[1] if len(stream) > 1 else None
    ok = isinstance(name, str) and 0 < len(name) < 256 and name == Path(name).name and "\0" not in name
    if not isinstance(name, str) or not ok:
        raise RecordingError(f"{path}: expected names of recordings beside it, found {shown(stream)}")
    return name, told if isinstance(told, str) else None


def _tuned(part: Recording, n_samples: int) -> list[tuple[int, float | None]]:
    return [(s.start, s.frequency_hz) for s in part.segments if s.start < n_samples]


def _shortened(part: Recording, n_samples: int) -> list[Segment]:
    marks = [(s.start, s.frequency_hz, s.time, s.begins_s) for s in part.segments if s.start < n_samples]
    return lay_out(marks, n_samples, part.sample_rate_hz)

"""SigMF recordings of an array, read in blocks: interleaved channels, geometry and truth.

Read: any complex SigMF data type (``cf32_le``, ``ci16_le``, ``ci8``, ...); integers are scaled to [-1, 1). Several
captures, ``core:offset``, archives (``.sigmf``, a tar file), and datasets of other formats that are described by
``core:dataset``, ``core:header_bytes`` and ``core:trailing_bytes``.

Written (by `write_recording`), beside ``core:num_channels`` and the ``spatial`` extension (element positions in
metres; bearings there run *clockwise* from the boresight, so they are minus our azimuth): global keys of the ``doamc``
namespace:

    doamc:array            name of the array specification
    doamc:sample_count     samples per channel, so that a shortened file is noticed
    doamc:azimuth_deg      directions, counter-clockwise from +x, as everywhere in this library
    doamc:power_db         source powers over unit sample power     doamc:noise_power  per element, linear
    doamc:coupling_re, doamc:coupling_im                            mutual coupling matrix, rows, mean diagonal 1
    doamc:waveform         name of the waveform                     doamc:snr_db       0 dB source over noise
"""

from bisect import bisect_right
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError
from doamc.files.remote import file_at, is_file, is_url
from doamc.files.small_file import read_json
from doamc.snapshots.sample_file import SampleFile
from doamc.snapshots.segments import Capture, Segment, lay_out
from doamc.snapshots.sigmf_archive import ARCHIVE, Data, member_of, open_archive
from doamc.snapshots.sigmf_geometry import antenna_positions
from doamc.snapshots.sigmf_metadata import number_field, parse_metadata, read_metadata, unix_time, whole_field
from doamc.snapshots.sigmf_place import place_of
from doamc.text import SHOWN, one_line, shown

#: ``core:sha512`` is compared up to this many bytes of data, some seconds of reading
MAX_VERIFIED = 1 << 30
#: bytes of a ``.truth.json`` file: a matrix of 128 elements, the most that messages have, fits twice
MAX_TRUTH = 2 << 20


class Recording(Capture):
    """One recording; samples stay on disk until read.

    path: the ``.sigmf-meta`` file (or its ``.sigmf-data``), or a ``.sigmf`` archive
    of one recording, or a recording of an archive, as ``ARCHIVE.sigmf/NAME``; or the URL of such. n_channels: what
    is expected, None takes any; without ``core:num_channels`` there is one, as the standard says. verify: compare
    ``core:sha512``, where there is one, with the data (reads a file here once; up to `MAX_VERIFIED` bytes).
    Attributes, beside those of `Capture`: metadata (the parsed file), offset (``core:offset``, the number of the first
    sample in the metadata).
    Raises RecordingError when a file is missing, damaged or truncated, or the layout is not one that can be read.
    """

    def __init__(self, path: str | Path, n_channels: int | None = None, verify: bool = True) -> None:
        super().__init__()
        self.path, member = member_of(file_at(path))
        if self.path.suffix == ARCHIVE:
            text, data = open_archive(self.path, member)
            self.metadata = parse_metadata(text, self.path)
        elif self.path.suffix in (".sigmf-meta", ".sigmf-data"):
            self.path = self.path.with_suffix(".sigmf-meta")
            self.metadata = parse_metadata(read_metadata(self.path), self.path)
            data = self._data_beside()
        else:
            raise RecordingError(f"expected a .sigmf-meta file, found {path}")
        world, captures = self.metadata["global"], self.metadata["captures"]
        self.n_channels = whole_field(world, "core:num_channels", self.path, 1, low=1)
        if n_channels is not None and self.n_channels != n_channels:
            found = f"{self.n_channels}; check --array"
            if "core:num_channels" not in world:
                found = f"no core:num_channels, which stands for 1; add it ({n_channels}) to the metadata"
            raise RecordingError(f"{self.path}: expected {n_channels} channels for this array, found {found}")
        self.offset = whole_field(world, "core:offset", self.path, 0)
        firsts = [self._index(capture) for capture in captures]
        if firsts != sorted(firsts):
            raise RecordingError(f"{self.path}: expected captures in the order of their core:sample_start")
        heads = [whole_field(capture, "core:header_bytes", self.path, 0) for capture in captures]
        trailing = whole_field(world, "core:trailing_bytes", self.path, 0)
        foreign = [(first, head) for first, head in zip(firsts, heads, strict=True) if head]
        place = data.path, world["core:datatype"], self.n_channels, data.offset, data.size, foreign, trailing
        try:
            self._file = SampleFile(*place)
        except RecordingError as error:
            raise RecordingError(f"{self.path}: {error}") from error
        self.n_samples = self._file.n_samples
        count = whole_field(world, "doamc:sample_count", self.path, self.n_samples)
        needed = max(count, max(firsts, default=0) + 1)
        if self._file.rest or self.n_samples != count or self.n_samples < needed:
            raise RecordingError(
                f"{data.path}: expected whole samples of {self._file.frame_bytes} bytes, {needed} of them, found "
                f"{data.size} bytes; the data are truncated or not of this recording"
            )
        self.sample_rate_hz = number_field(world, "core:sample_rate", self.path)
        self.segments = self._segments(firsts)
        array = world.get("doamc:array")
        self.array = array if isinstance(array, str) else None
        self._remark_annotations()
        if verify and "core:sha512" in world and not is_url(data.path):
            self._verify(data, str(world["core:sha512"]))

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""
        return self._file.read(start, count)

    @cached_property
    def positions_m(self) -> NDArray[np.float64] | None:
        """Positions (N, 3) of the channels' antennas, m; None where they are not told. Raises RecordingError."""
        return antenna_positions(self.metadata, self.n_channels, self.path)

    @cached_property
    def truth(self) -> dict[str, Any]:
        """What is known of the scene: the ``doamc:`` keys without their prefix, else a ``.truth.json`` beside it."""
        world = self.metadata["global"]
        known = {k.removeprefix("doamc:"): v for k, v in world.items() if k.startswith("doamc:")}
        beside = self.path.with_suffix(".truth.json")
        if "azimuth_deg" in known or not is_file(beside):
            return known
        return known | read_json(beside, RecordingError, MAX_TRUTH)

    def _data_beside(self) -> Data:
        world = self.metadata["global"]
        name = world.get("core:dataset") or self.path.with_suffix(".sigmf-data").name
        if world.get("core:metadata_only"):
            raise RecordingError(f"{self.path}: expected samples, found metadata only (core:metadata_only)")
        if name != Path(name).name or "\0" in name:
            raise RecordingError(f"{self.path}: expected core:dataset to name a file beside it, found {shown(name)}")
        path = self.path.parent / name
        if not is_file(path):
            raise RecordingError(f"{self.path}: expected a recording, found no file {one_line(name, SHOWN)}")
        return Data(path, 0, path.stat().st_size)

    def _index(self, capture: dict[str, Any]) -> int:
        start = whole_field(capture, "core:sample_start", self.path, 0)
        if start < self.offset:
            raise RecordingError(
                f"{self.path}: expected captures from sample {self.offset} (core:offset) on, found one at {start}"
            )
        return start - self.offset

    def _segments(self, firsts: list[int]) -> list[Segment]:
        marks, rate = [], self.sample_rate_hz
        for first, capture in zip(firsts, self.metadata["captures"], strict=True):
            frequency = number_field(capture, "core:frequency", self.path)
            told = number_field(capture, "doamc:sample_time", self.path)
            if told is None and rate is not None and "core:global_index" in capture:
                told = whole_field(capture, "core:global_index", self.path, 0) / rate
            time = unix_time(capture.get("core:datetime"))
            if time is None and "core:datetime" in capture:
                self.remarks.append(f"{self.path}: core:datetime {shown(capture['core:datetime'])} is no moment")
            marks.append((first, frequency if frequency and frequency > 0 else None, time, told))
        del self.remarks[1:]  # one such line is enough
        places = [place_of(capture) or place_of(self.metadata["global"]) for capture in self.metadata["captures"]]
        laid = lay_out(marks, self.n_samples, rate)
        return [replace(s, place=places[max(0, bisect_right(firsts, s.start) - 1)] if places else None) for s in laid]

    def _remark_annotations(self) -> None:
        end = self.offset + self.n_samples
        for annotation in self.metadata["annotations"]:
            start = whole_field(annotation, "core:sample_start", self.path, 0)
            if start + whole_field(annotation, "core:sample_count", self.path, 0) > end:
                self.remarks.append(f"{self.path}: annotations reach beyond the data, which end at sample {end}")
                return

    def _verify(self, data: Data, told: str) -> None:
        from sigmf import hashing

        if data.size > MAX_VERIFIED:
            size = f"{data.size / 2**30:.1f} GiB"
            self.remarks.append(f"{self.path}: core:sha512 is not compared, since {size} of data would take long")
        elif hashing.calculate_sha512(data.path, offset=data.offset, size=data.size) != told.lower():
            raise RecordingError(
                f"{data.path}: the data do not agree with core:sha512; they are damaged or were replaced"
            )

"""SigMF recordings of an array, read in blocks: interleaved channels, geometry and truth.

Read: any complex SigMF data type (``cf32_le``, ``ci16_le``, ``ci8``, ...); integers are scaled to [-1, 1).

Written (by `write_recording`), beside ``core:num_channels`` and the ``spatial`` extension (element positions in
metres; bearings there run *clockwise*, so they are minus our azimuth): global keys of the ``doamc`` namespace:

    doamc:array            name of the array specification
    doamc:sample_count     samples per channel, so that a shortened file is noticed
    doamc:azimuth_deg      directions, counter-clockwise from +x, as everywhere in this library
    doamc:power_db         source powers over unit sample power     doamc:noise_power  per element, linear
    doamc:coupling_re, doamc:coupling_im                            mutual coupling matrix, rows, mean diagonal 1
    doamc:waveform         name of the waveform                     doamc:snr_db       0 dB source over noise
"""

import json
import warnings
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import RecordingError


class Recording:
    """One recording; samples stay on disk until read.

    path: the ``.sigmf-meta`` file (or its ``.sigmf-data``). n_channels: what is expected, None takes any. verify:
    compare ``core:sha512``, where there is one, with the data (reads the file once).
    Attributes: n_channels, n_samples (per channel), sample_rate_hz and frequency_hz (None where not given), array
    (``doamc:array`` or None), metadata (the parsed file).
    Raises RecordingError when a file is missing, damaged or truncated, or the layout is not one that can be read.
    """

    def __init__(self, path: str | Path, n_channels: int | None = None, verify: bool = True) -> None:
        from sigmf import SigMFFile, hashing
        from sigmf.sigmffile import dtype_info

        self.path = Path(path).with_suffix(".sigmf-meta")
        data = self.path.with_suffix(".sigmf-data")
        if Path(path).suffix not in (".sigmf-meta", ".sigmf-data"):
            raise RecordingError(f"expected a .sigmf-meta file, found {path}")
        for file in (self.path, data):
            if not file.is_file():
                raise RecordingError(f"{self.path}: expected a recording, found no file {file.name}")
        self.metadata = _checked_metadata(self.path)
        world = self.metadata["global"]
        self.n_channels = int(world.get("core:num_channels", 1))
        if n_channels is not None and self.n_channels != n_channels:
            raise RecordingError(
                f"{self.path}: expected {n_channels} channels for this array, found {self.n_channels}; check --array"
            )
        info = dtype_info(world["core:datatype"])
        if not info["is_complex"]:
            found = world["core:datatype"]
            raise RecordingError(f"{self.path}: expected complex samples (cf32_le, ci16_le, ...), found {found}")
        frame = info["sample_size"] * self.n_channels
        self.n_samples, rest = divmod(data.stat().st_size, frame)
        told = world.get("doamc:sample_count", self.n_samples)
        if rest or self.n_samples != told or not self.n_samples or self._described() > self.n_samples:
            raise RecordingError(
                f"{data}: expected whole samples of {frame} bytes, {max(told, self._described())} of them, found "
                f"{data.stat().st_size} bytes; the data are truncated or not of this recording"
            )
        if verify and "core:sha512" in world and hashing.calculate_sha512(data) != world["core:sha512"].lower():
            raise RecordingError(f"{data}: the data do not agree with core:sha512; they are damaged or were replaced")
        self._file = SigMFFile(metadata=self.metadata)
        self._file.set_data_file(data, skip_checksum=True)
        rate, captures = world.get("core:sample_rate"), self.metadata["captures"]
        frequency = captures[0].get("core:frequency") if captures else None
        self.sample_rate_hz = None if rate is None else float(rate)
        self.frequency_hz = None if frequency is None else float(frequency)
        self.array: str | None = world.get("doamc:array")

    def read(self, start: int, count: int) -> NDArray[np.complex64]:
        """Samples start to start + count of all channels, (N, count). Raises RecordingError beyond the end."""
        if start < 0 or count < 1 or start + count > self.n_samples:
            found = f"{start}..{start + count}"
            raise RecordingError(f"{self.path}: expected samples within 0..{self.n_samples}, found {found}")
        try:
            samples = self._file.read_samples(start, count)
        except (OSError, ValueError) as error:
            raise RecordingError(f"{self.path}: cannot read samples {start}..{start + count} ({error})") from error
        if samples.size != count * self.n_channels:
            raise RecordingError(f"{self.path}: the data were truncated while being read")
        return np.ascontiguousarray(samples.reshape(count, self.n_channels).T, dtype=np.complex64)

    def starts(self, batches: int, n_snapshots: int) -> NDArray[np.int64]:
        """First samples of `batches` blocks, evenly spaced from the first sample to the last, without overlap."""
        if batches < 1 or n_snapshots < 1:
            raise RecordingError(f"expected B >= 1 blocks of L >= 1 snapshots, found B = {batches}, L = {n_snapshots}")
        if batches * n_snapshots > self.n_samples:
            raise RecordingError(
                f"{self.path}: expected at least {batches} x {n_snapshots} samples, found {self.n_samples}; "
                "ask for fewer batches or snapshots"
            )
        step = (self.n_samples - n_snapshots) / max(1, batches - 1)
        return np.floor(step * np.arange(batches) + 1e-9).astype(np.int64)

    def blocks(self, batches: int, n_snapshots: int, size: int) -> Iterator[NDArray[np.complex64]]:
        """The same blocks as `cut`, `size` of them at a time, each (b, N, L)."""
        starts = self.starts(batches, n_snapshots)
        for i in range(0, batches, size):
            yield np.stack([self.read(int(s), n_snapshots) for s in starts[i : i + size]])

    def cut(self, batches: int, n_snapshots: int) -> NDArray[np.complex64]:
        """B blocks of L consecutive samples, evenly spaced over the recording, (B, N, L)."""
        return next(self.blocks(batches, n_snapshots, batches))

    @cached_property
    def truth(self) -> dict[str, Any]:
        """What is known of the scene: the ``doamc:`` keys without their prefix, else a ``.truth.json`` beside it."""
        world = self.metadata["global"]
        known = {k.removeprefix("doamc:"): v for k, v in world.items() if k.startswith("doamc:")}
        beside = self.path.with_suffix(".truth.json")
        if "azimuth_deg" in known or not beside.is_file():
            return known
        try:
            return known | json.loads(beside.read_text(encoding="utf-8"))
        except (OSError, ValueError, TypeError) as error:
            raise RecordingError(f"{beside}: expected a JSON object ({error})") from error

    def _described(self) -> int:
        """Samples that the captures and annotations say there are, at least."""
        parts = [c["core:sample_start"] for c in self.metadata["captures"]]
        parts += [a["core:sample_start"] + a.get("core:sample_count", 0) for a in self.metadata["annotations"]]
        return max(parts, default=0)


def _checked_metadata(path: Path) -> dict[str, Any]:
    """Parsed metadata that follow the SigMF schema and have no foreign bytes within their samples."""
    from jsonschema import ValidationError
    from sigmf import SigMFFile
    from sigmf.error import SigMFError

    try:
        metadata = json.loads(path.read_text(encoding="utf-8"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undeclared extensions of others are none of our business
            SigMFFile(metadata=metadata).validate()
    except ValidationError as error:
        raise RecordingError(f"{path}: not SigMF metadata ({error.message})") from error
    except (OSError, ValueError, TypeError, AttributeError, KeyError, RecursionError, SigMFError) as error:
        raise RecordingError(f"{path}: not SigMF metadata ({error})") from error
    world = metadata["global"]
    foreign = [k for k in ("core:dataset", "core:trailing_bytes", "core:metadata_only") if world.get(k)]
    foreign += ["core:header_bytes"] * any(c.get("core:header_bytes") for c in metadata["captures"])
    if foreign:
        raise RecordingError(f"{path}: expected a plain SigMF dataset, found {', '.join(foreign)}; convert it first")
    return metadata

"""Integrated covariances of an array as files: .npz, or a SigMF recording of N N channels, one sample an integration.

In .npz: ``covariance`` complex (B, N, N) of streams, ``snapshots`` (B,), ``sample_time`` and ``time`` (B,) in s,
``frequency_hz`` (B,), NaN where it is not told. SigMF has the same, channel N i + j being R_ij, in single precision.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError, RecordingError, SnapshotError
from doamc.files.atomic import check_output
from doamc.files.remote import file_at
from doamc.imaging.integration import Integration
from doamc.snapshots.npy import Archive
from doamc.snapshots.npz import write_snapshots

#: snapshots of an integration
MOST = 2.0**53
SUFFIXES = (".npz", ".sigmf-meta")
_RECORDINGS = (".sigmf-meta", ".sigmf-data")
#: numbers of all integrations that are read, 512 MiB
MAX_NUMBERS = 1 << 26


def check_visibilities(path: str | Path) -> None:
    """Raise RecordingError unless visibilities can be written at this path."""
    check_output(path, *SUFFIXES)


def write_visibilities(path: str | Path, integrations: Sequence[Integration]) -> None:
    """Write integrations, one at least; the file appears whole or not at all. Raises RecordingError if it cannot."""
    check_visibilities(path)
    covariance = np.stack([i.covariance for i in integrations])
    snapshots = np.array([i.snapshots for i in integrations])
    frequency = np.array([np.nan if i.frequency_hz is None else i.frequency_hz for i in integrations])
    first = integrations[0]
    if Path(path).suffix.lower() == ".npz":
        write_snapshots(
            path, covariance=covariance, snapshots=snapshots, frequency_hz=frequency,
            sample_time=np.array([i.sample_time for i in integrations]), time=np.array([i.time for i in integrations]),
        )  # fmt: skip
        return
    from doamc.snapshots.sigmf_write import write_recording

    write_recording(
        path, covariance.reshape(len(covariance), -1).T, sample_rate_hz=first.sample_rate / first.snapshots,
        frequency_hz=first.frequency_hz or 0.0, array=first.array or None,
        description="integrated visibilities of an array: channel N i + j is R_ij", visibilities=True,
        snapshots=[int(n) for n in snapshots],
    )  # fmt: skip


def is_integrated(path: str | Path) -> bool:
    """Whether a file holds integrated covariances, and not samples. Raises SnapshotError, RecordingError."""
    if Path(path).suffix == ".npz":
        return "covariance" in Archive(file_at(path), "visibilities").names
    if Path(path).suffix not in _RECORDINGS:
        return False
    from doamc.snapshots.sigmf_metadata import metadata_object, read_metadata

    meta = file_at(path).with_suffix(".sigmf-meta")
    world = metadata_object(read_metadata(meta), meta).get("global")
    return isinstance(world, dict) and world.get("doamc:visibilities") is True


def read_covariance(path: str | Path) -> tuple[NDArray[np.complex128], float, float | None]:
    """All integrations of a file as one: R (N, N), how many snapshots, and the frequency in Hz where it is told.

    Raises ImagingError where the file is no such file, or its integrations have different frequencies.
    """
    try:
        r, counts, told = _of_archive(path) if Path(path).suffix == ".npz" else _of_recording(path)
    except (SnapshotError, RecordingError) as error:
        raise ImagingError(str(error)) from error
    square = r.dtype.kind == "c" and r.ndim == 3 and r.shape[1] == r.shape[2]
    numbers = counts.dtype.kind in "iuf" and told.dtype.kind in "iuf"
    if not square or not numbers or not counts.shape == told.shape == r.shape[:1] or not _counted(counts):
        found = f"{r.dtype} {r.shape} and {counts.dtype} {counts.shape}"
        raise ImagingError(
            f"{path}: expected covariance complex (B, N, N) and snapshots (B,) of 1 to {MOST:g}, found {found}"
        )
    frequencies = np.unique(told[np.isfinite(told)])
    if len(frequencies) > 1:
        raise ImagingError(f"{path}: expected integrations of one frequency, found {len(frequencies)}")
    weights = counts / counts.sum()
    total = np.einsum("b,bij->ij", weights, r.astype(complex))
    return total, float(counts.sum()), float(frequencies[0]) if len(frequencies) else None


def _of_archive(path: str | Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Covariances, snapshots and frequencies of an .npz file, unchecked."""
    archive = Archive(file_at(path), "visibilities")
    missing = {"covariance", "snapshots"} - set(archive.names)
    if missing:
        raise ImagingError(f"{path}: expected arrays covariance and snapshots, found no {' and no '.join(missing)}")
    r, counts = archive.whole("covariance"), archive.whole("snapshots")
    return (
        r,
        counts,
        archive.whole("frequency_hz") if "frequency_hz" in archive.names else np.full(counts.shape, np.nan),
    )


def _of_recording(path: str | Path) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Covariances, snapshots and frequencies of a SigMF recording, unchecked."""
    from doamc.snapshots.sigmf_files import Recording

    recording = Recording(path)
    n, size = math.isqrt(recording.n_channels), recording.n_channels * recording.n_samples
    if n * n != recording.n_channels or size > MAX_NUMBERS:
        raise ImagingError(f"{path}: expected N N channels and at most {MAX_NUMBERS} samples of all of them, found "
                           f"{recording.n_channels} channels and {size} samples")  # fmt: skip
    r = recording.read(0, recording.n_samples).T.reshape(-1, n, n)
    told = recording.truth.get("snapshots")
    whole = isinstance(told, list) and all(isinstance(v, (int, float)) and 1 <= v <= MOST for v in told)
    hertz = [v.frequency_hz for v in recording.segments for _ in range(v.start, v.stop)]
    return r, np.array(told if whole else [], float), np.array([np.nan if v is None else v for v in hertz])


def _counted(counts: NDArray[Any]) -> bool:
    """Whether these are numbers of snapshots, one at least."""
    return len(counts) > 0 and bool(((counts >= 1) & (counts <= MOST)).all())

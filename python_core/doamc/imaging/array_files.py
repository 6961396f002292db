"""Integrated covariances of an array as files: .npz, or a SigMF recording of N N channels, one sample an integration.

In .npz: ``covariance`` complex (B, N, N) of streams, ``snapshots`` (B,), ``sample_time`` and ``time`` (B,) in s,
``frequency_hz`` (B,), NaN where it is not told. SigMF has the same, channel N i + j being R_ij, in single precision.
"""

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


def check_visibilities(path: str | Path) -> None:
    """Raise RecordingError unless visibilities can be written at this path."""
    if Path(path).suffix not in SUFFIXES:
        raise RecordingError(f"expected a file that ends in {' or '.join(SUFFIXES)}, found {path}")
    check_output(path)


def write_visibilities(path: str | Path, integrations: Sequence[Integration]) -> None:
    """Write integrations, one at least; the file appears whole or not at all. Raises RecordingError if it cannot."""
    check_visibilities(path)
    covariance = np.stack([i.covariance for i in integrations])
    snapshots = np.array([i.snapshots for i in integrations])
    frequency = np.array([np.nan if i.frequency_hz is None else i.frequency_hz for i in integrations])
    first = integrations[0]
    if Path(path).suffix == ".npz":
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


def read_covariance(path: str | Path) -> tuple[NDArray[np.complex128], float, float | None]:
    """All integrations of an .npz file as one: R (N, N), how many snapshots, and the frequency in Hz where it is told.

    Raises ImagingError where the file is no such file, or its integrations have different frequencies.
    """
    try:
        archive = Archive(file_at(path), "visibilities")
        missing = {"covariance", "snapshots"} - set(archive.names)
        if missing:
            raise ImagingError(f"{path}: expected arrays covariance and snapshots, found no {' and no '.join(missing)}")
        r, counts = archive.whole("covariance"), archive.whole("snapshots")
        told = archive.whole("frequency_hz") if "frequency_hz" in archive.names else np.full(counts.shape, np.nan)
    except SnapshotError as error:
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


def _counted(counts: NDArray[Any]) -> bool:
    """Whether these are numbers of snapshots, one at least."""
    return len(counts) > 0 and bool(((counts >= 1) & (counts <= MOST)).all())

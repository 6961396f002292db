"""Snapshots as .npz files: ``snapshots`` complex (B, N, L).

Optional: ``noise_power`` (B,) or scalar; ``positions_wavelengths`` (N, 3), where the antennas of the channels stand.
Also reads the coupling matrices in a file of estimates.
"""

import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SnapshotError, SpecificationError
from doamc.files.atomic import whole_file
from doamc.files.remote import file_at
from doamc.snapshots.npy import Archive
from doamc.snapshots.segments import MAX_BATCH_SAMPLES
from doamc.spec.geometry import MAX_COORDINATE
from doamc.spec.numbering import checked_channels
from doamc.text import SHOWN, one_line, shown

_MAX_CHANNELS = 1 << 12  #: bytes of an array of channels


class SnapshotFile:
    """Snapshots of a .npz file, read a few observations at a time (nothing in it is unpickled).

    shape: (B, N, L); a single observation (N, L) counts as B = 1. noise_power: (B,) or None. positions: (N, 3),
    wavelengths, or None.
    Raises SnapshotError when the file is missing or damaged, its arrays do not have these shapes and types, or one
    observation is larger than `MAX_BATCH_SAMPLES`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = file_at(path)
        self._archive = Archive(self.path)
        if "snapshots" not in self._archive.names:
            found = one_line(", ".join(self._archive.names), SHOWN) or "none"
            raise SnapshotError(f"{self.path}: expected an array 'snapshots', found {found}")
        header = self._archive.header("snapshots")
        shape, self._dtype = header.shape, header.dtype
        found = f"{self._dtype} {shown(shape)}"
        if self._dtype.kind != "c" or len(shape) not in (2, 3):
            raise SnapshotError(f"{self.path}: expected complex snapshots of shape (B, N, L), found {found}")
        self.shape: tuple[int, int, int] = (1, *shape) if len(shape) == 2 else tuple(shape)  # type: ignore[assignment]
        if min(self.shape) < 1:
            raise SnapshotError(f"{self.path}: expected B, N and L of at least 1, found shape {self.shape}")
        if self.shape[1] * self.shape[2] > MAX_BATCH_SAMPLES:
            raise SnapshotError(
                f"{self.path}: expected at most {MAX_BATCH_SAMPLES} samples an observation, found {found}; cut it into "
                "several, (B, N, L)"
            )
        self.noise_power = self._noise() if "noise_power" in self._archive.names else None
        self.positions = self._positions() if "positions_wavelengths" in self._archive.names else None

    @property
    def checksums(self) -> list[tuple[str, int, int]]:
        """Of all that the file holds, see `Archive.checksums`."""
        return self._archive.checksums

    def blocks(self, size: int, first: int = 0) -> Iterator[NDArray[Any]]:
        """Snapshots of `size` observations at a time, each (b, N, L), in order from number `first` on."""
        if self._archive.header("snapshots").fortran:  # not stored observation by observation: all at once
            whole = self._archive.whole("snapshots").reshape(self.shape)
            yield from (whole[i : i + size] for i in range(first, self.shape[0], size))
            return
        per = self.shape[1] * self.shape[2] * self._dtype.itemsize
        for data in self._archive.parts("snapshots", size * per, first * per):
            yield np.frombuffer(data, self._dtype).reshape(-1, *self.shape[1:])

    def _noise(self) -> NDArray[Any]:
        header = self._archive.header("noise_power")
        if header.dtype.kind not in "fiu" or math.prod(header.shape) not in (1, self.shape[0]):
            found = f"{header.dtype} {shown(header.shape)}"
            raise SnapshotError(f"{self.path}: expected real noise_power of shape ({self.shape[0]},), found {found}")
        noise = self._archive.whole("noise_power")
        return np.broadcast_to(noise.astype(float).reshape(-1), self.shape[:1])

    def _positions(self) -> NDArray[np.float64]:
        header = self._archive.header("positions_wavelengths")
        if header.dtype.kind not in "fiu" or header.shape not in ((self.shape[1], 2), (self.shape[1], 3)):
            wanted = f"real positions_wavelengths of shape ({self.shape[1]}, 3)"
            raise SnapshotError(f"{self.path}: expected {wanted}, found {header.dtype} {shown(header.shape)}")
        points = self._archive.whole("positions_wavelengths").astype(np.float64)
        if not (np.abs(points) <= MAX_COORDINATE).all():
            raise SnapshotError(f"{self.path}: expected positions_wavelengths within {MAX_COORDINATE:g}, found others")
        return np.pad(points, ((0, 0), (0, 3 - points.shape[1])))


def write_snapshots(path: str | Path, **arrays: Any) -> None:
    """Write arrays (``snapshots`` and whatever describes them) to an .npz file, whole or not at all."""
    # not by numpy.savez, whose archive is closed too late when it is interrupted, and says so
    with whole_file(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_channels(path: str | Path, n_elements: int) -> list[int]:
    """Element of each of N channels, as a file of estimates tells it: 0, 1, ..., N-1 where it does not.

    Raises SnapshotError when the file cannot be read, or tells no such numbers.
    """
    archive = Archive(Path(path))
    if "channels" not in archive.names:
        return list(range(n_elements))
    try:
        return list(
            checked_channels(archive.whole("channels", _MAX_CHANNELS).tolist(), n_elements, f"{path}: channels")
        )
    except SpecificationError as error:
        raise SnapshotError(str(error)) from error


def read_coupling(path: str | Path, n_elements: int | None = None) -> NDArray[np.complex128]:
    """Mean coupling (N, N) over the batches of a file of estimates, each scaled to mean diagonal 1.

    The file may hold one matrix alone; those with NaN are left out. Raises SnapshotError when the file cannot be read,
    or holds no coupling of N elements (None: any) that has a mean diagonal.
    """
    archive = Archive(Path(path))
    if "coupling" not in archive.names:
        names = one_line(", ".join(archive.names), SHOWN) or "none"
        raise SnapshotError(f"{path}: expected an .npz file with an array 'coupling', found {names}")
    stored = archive.whole("coupling")
    if stored.dtype.kind not in "cfiu" or stored.ndim not in (2, 3) or stored.shape[-1] != stored.shape[-2]:
        found = f"{stored.dtype} {shown(stored.shape)}"
        raise SnapshotError(f"{path}: expected coupling of numbers and of shape (B, N, N), found {found}")
    matrices = stored.astype(complex).reshape(-1, *stored.shape[-2:])
    matrices = matrices[np.isfinite(matrices).all((1, 2))]
    if not len(matrices):
        raise SnapshotError(f"{path}: expected coupling in at least one batch, found none (method without coupling?)")
    n = n_elements or matrices.shape[1]
    if matrices.shape[1] != n:
        raise SnapshotError(f"{path}: expected coupling of shape (B, {n}, {n}), found {matrices.shape}")
    scale = matrices.trace(axis1=1, axis2=2) / n
    with np.errstate(all="ignore"):
        matrices = matrices / scale[:, None, None]
    matrices = matrices[np.isfinite(matrices).all((1, 2))]
    if not len(matrices):
        raise SnapshotError(f"{path}: expected coupling with a diagonal in at least one batch, found none")
    return np.asarray(matrices.mean(0))

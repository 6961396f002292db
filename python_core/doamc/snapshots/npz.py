"""Snapshots and estimates as .npz files: what ``doamc estimate`` reads and writes.

Input keys: ``snapshots`` complex (B, N, L), optional ``noise_power`` (B,) or scalar.
Output keys: ``doa_deg`` (B, P) ascending, ``doa_std_deg`` (B, P), ``power_db`` (B, P), ``coupling`` complex (B, N, N),
``noise_power`` (B,), ``n_sources`` (B,); NaN where a batch has fewer sources. `bcs` adds ``elevation_deg`` (B, P). A
posterior adds ``doa_interval_deg`` (B, P, 2), ``coupling_std`` (B, N, N), ``mode_doa_deg`` and ``mode_std_deg``
(B, M, P), ``mode_share`` (B, M), ``effective_snapshots`` (B,) and, where it counted the sources, ``log_evidence``
(B, 1 + P_max).
"""

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from doamc.errors import SnapshotError
from doamc.snapshots.atomic import whole_file

if TYPE_CHECKING:
    from doamc.estimators.base import Estimates

_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError, KeyError)


class SnapshotFile:
    """Snapshots of a .npz file, read a few observations at a time (nothing in it is unpickled).

    shape: (B, N, L); a single observation (N, L) counts as B = 1. noise_power: (B,) or None.
    Raises SnapshotError when the file is missing or damaged, or its arrays do not have these shapes and types.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise SnapshotError(f"expected a file of snapshots, found none at {self.path}")
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [n.removesuffix(".npy") for n in archive.namelist()]
                if "snapshots" not in names:
                    found = ", ".join(names) or "none"
                    raise SnapshotError(f"{self.path}: expected an array 'snapshots', found {found}")
                with archive.open("snapshots.npy") as file:
                    shape, self._fortran, self._dtype = _header(file)
        except _DAMAGED as error:
            if isinstance(error, SnapshotError):
                raise
            raise SnapshotError(f"{self.path}: expected an .npz file of snapshots, cannot read it ({error})") from error
        if self._dtype.kind != "c" or len(shape) not in (2, 3):
            found = f"{self._dtype} {tuple(shape)}"
            raise SnapshotError(f"{self.path}: expected complex snapshots of shape (B, N, L), found {found}")
        self.shape: tuple[int, int, int] = (1, *shape) if len(shape) == 2 else tuple(shape)  # type: ignore[assignment]
        if min(self.shape) < 1:
            raise SnapshotError(f"{self.path}: expected B, N and L of at least 1, found shape {self.shape}")
        self.noise_power = self._noise() if "noise_power" in names else None

    def blocks(self, size: int) -> Iterator[NDArray[Any]]:
        """Snapshots of `size` observations at a time, each (b, N, L), in order."""
        per = self.shape[1] * self.shape[2]
        try:
            with zipfile.ZipFile(self.path) as archive, archive.open("snapshots.npy") as file:
                if self._fortran:  # not stored observation by observation: all at once
                    whole = npy.read_array(file, allow_pickle=False).reshape(self.shape)
                    yield from (whole[i : i + size] for i in range(0, self.shape[0], size))
                    return
                _header(file)
                for start in range(0, self.shape[0], size):
                    count = min(size, self.shape[0] - start) * per
                    data = file.read(count * self._dtype.itemsize)
                    if len(data) < count * self._dtype.itemsize:
                        raise EOFError("the data end early")
                    yield np.frombuffer(data, self._dtype).reshape(-1, *self.shape[1:])
        except _DAMAGED as error:
            if isinstance(error, SnapshotError):
                raise
            raise SnapshotError(f"{self.path}: expected whole snapshots, found damaged data ({error})") from error

    def _noise(self) -> NDArray[Any]:
        try:
            with np.load(self.path, allow_pickle=False) as table:
                noise = np.asarray(table["noise_power"])
        except _DAMAGED as error:
            raise SnapshotError(f"{self.path}: cannot read noise_power ({error})") from error
        if noise.dtype.kind not in "fiu" or noise.size not in (1, self.shape[0]):
            found = f"{noise.dtype} {noise.shape}"
            raise SnapshotError(f"{self.path}: expected real noise_power of shape ({self.shape[0]},), found {found}")
        return np.broadcast_to(noise.astype(float).reshape(-1), self.shape[:1])


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, Fortran order and type of a .npy stream, left at its first sample. ValueError on pickled objects."""
    version = npy.read_magic(file)
    read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if read is None:
        raise ValueError(f"format version {version}")
    shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    return shape, fortran, dtype


def write_snapshots(path: str | Path, **arrays: Any) -> None:
    """Write arrays (``snapshots`` and whatever describes them) to an .npz file, whole or not at all."""
    with whole_file(path) as file:
        np.savez(file, **arrays)


def write_estimates(path: str | Path, estimates: "Estimates") -> None:
    """Write the output keys above from `Estimates` (radians, linear) to an .npz file, whole or not at all."""
    write_snapshots(path, **estimate_arrays(estimates))


def read_coupling(path: str | Path, n_elements: int) -> NDArray[np.complex128]:
    """Mean (N, N) over the batches of a file of estimates, each scaled to mean diagonal 1; batches with NaN left out.

    Raises SnapshotError when the file cannot be read or holds no coupling of an array of N elements.
    """
    try:
        with np.load(path, allow_pickle=False) as table:
            found = np.asarray(table["coupling"], dtype=complex)
    except _DAMAGED as error:
        raise SnapshotError(f"{path}: expected an .npz file with an array 'coupling', found none ({error})") from error
    matrices = found.reshape(-1, *found.shape[-2:]) if found.ndim in (2, 3) else found
    if matrices.shape[1:] != (n_elements, n_elements):
        raise SnapshotError(f"{path}: expected coupling of shape (B, {n_elements}, {n_elements}), found {found.shape}")
    scale = matrices.trace(axis1=1, axis2=2) / n_elements
    with np.errstate(invalid="ignore", divide="ignore"):
        matrices = matrices / scale[:, None, None]
    matrices = matrices[np.isfinite(matrices).all((1, 2))]
    if not len(matrices):
        raise SnapshotError(f"{path}: expected coupling in at least one batch, found none (method without coupling?)")
    return np.asarray(matrices.mean(0))


def estimate_arrays(estimates: "Estimates") -> dict[str, NDArray[Any]]:
    """The output keys above: degrees, dB and linear noise power. Powers of zero or less are NaN in dB."""
    e = estimates
    power = e.power.cpu().numpy()
    extra = {
        "elevation_deg": None if e.elevation is None else e.elevation.rad2deg(),
        "doa_interval_deg": None if e.interval is None else e.interval.rad2deg(),
        "coupling_std": e.coupling_std,
        "mode_doa_deg": None if e.mode_azimuth is None else e.mode_azimuth.rad2deg(),
        "mode_std_deg": None if e.mode_std is None else e.mode_std.rad2deg(),
        "mode_share": e.mode_share,
        "effective_snapshots": e.snapshots,
        "log_evidence": e.log_evidence,
    }
    return {k: v.cpu().numpy() for k, v in extra.items() if v is not None} | {
        "doa_deg": np.degrees(e.azimuth.cpu().numpy()),
        "doa_std_deg": np.degrees(e.std.cpu().numpy()),
        "power_db": 10 * np.log10(power, out=np.full(power.shape, np.nan), where=power > 0),
        "coupling": e.coupling.cpu().numpy(),
        "noise_power": e.noise_power.cpu().numpy(),
        "n_sources": e.n_sources.cpu().numpy(),
    }

"""Visibilities and images as .npz files."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError, SnapshotError
from doamc.files.remote import file_at
from doamc.imaging.visibilities import GridVisibilities, SkyImage, check_side, make_visibilities
from doamc.snapshots.npy import Archive
from doamc.snapshots.npz import write_snapshots
from doamc.text import SHOWN, one_line, shown

#: bytes of all visibilities of a file
MAX_BYTES = 1 << 30


def read_visibilities(path: str | Path) -> GridVisibilities:
    """Of an .npz file: ``visibilities`` complex (B, n, n), ``mask`` (n, n), ``sigma`` scalar or (n, n).

    Shapes are compared with what memory allows before anything is read; nothing is unpickled.
    Raises ImagingError where the file is missing or damaged, or `make_visibilities` refuses what it holds.
    """
    try:
        return make_visibilities(*_arrays(Archive(file_at(path), "visibilities")))
    except SnapshotError as error:
        raise ImagingError(str(error)) from error
    except ImagingError as error:
        raise ImagingError(f"{path}: {error}") from error


def _arrays(archive: Archive) -> list[NDArray]:
    missing = {"visibilities", "mask", "sigma"} - set(archive.names)
    if missing:
        found = one_line(", ".join(archive.names), SHOWN) or "none"
        raise ImagingError(f"expected arrays visibilities, mask and sigma, found {found}")
    shape = archive.header("visibilities").shape
    if len(shape) not in (2, 3):
        raise ImagingError(f"expected visibilities of shape (B, n, n), found {shown(shape)}")
    check_side(shape[-2:], shape[0] if len(shape) == 3 else 1)
    return [archive.whole(name, MAX_BYTES) for name in ("visibilities", "mask", "sigma")]


def write_visibilities(path: str | Path, visibilities: GridVisibilities) -> None:
    """Write what `read_visibilities` reads, whole or not at all."""
    write_snapshots(
        path,
        visibilities=visibilities.values.astype(np.complex64),
        mask=visibilities.mask,
        sigma=visibilities.sigma,
    )


def write_image(path: str | Path, sky: SkyImage, residual: NDArray | None = None) -> None:
    """Write ``image`` (B, n, n), ``std`` where the method has one, ``residual`` where given, as float32."""
    arrays = {"image": sky.image, "std": sky.std, "residual": residual}
    write_snapshots(path, **{k: np.asarray(v, np.float32) for k, v in arrays.items() if v is not None})

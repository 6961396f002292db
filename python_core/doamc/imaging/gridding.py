"""Baselines at any (u, v) brought to the grid of the FFT, where DDRM and the other methods of the grid work."""

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.visibilities import GridVisibilities, check_side, make_visibilities, mirrored


def gridded(
    values: NDArray[np.complex128],  # shape: (M,) or (B, M)
    uv: NDArray[np.float64],  # shape: (M, 2 or 3), wavelengths
    sigma: NDArray[np.float64] | float,  # noise per complex visibility, (M,) or one
    side: int,
    pixel: float,  # side of a pixel in direction cosines
) -> GridVisibilities:
    """Means of the baselines of every cell, weighted by 1 / sigma^2; noise falls with their number.

    A baseline counts as one at the middle of its cell, 1 / (side pixel) wide: an error of the order of half a turn
    times the distance of a source from the phase centre, over half of the image; w is dropped. Choose pixels small
    enough that the sky fills the middle of the image. The phase centre comes to lie in pixel (side // 2, side // 2).

    Raises ImagingError where shapes do not fit, or no baseline lies within the grid; those beyond it are left out.
    """
    values, uv = np.atleast_2d(np.asarray(values, np.complex128)), np.asarray(uv, np.float64)
    noise = np.broadcast_to(np.asarray(sigma, np.float64), (values.shape[1],))
    check_side((side, side), len(values))
    if uv.ndim != 2 or len(uv) != values.shape[1] or not (noise > 0).all() or not np.isfinite(uv).all():
        raise ImagingError(f"expected one finite baseline (M, 2) and one sigma > 0 a visibility, found {uv.shape} for "
                           f"{values.shape[1]} visibilities")  # fmt: skip
    k = np.rint(uv[:, :2] * (side * pixel)).astype(np.int64)
    inside = (np.abs(k) < side / 2).all(1)
    if not inside.any():
        raise ImagingError(f"expected baselines within {0.5 / pixel:g} wavelengths, found longer ones: smaller pixels")
    k, weights, values = k[inside], noise[inside] ** -2.0, values[:, inside]
    shift = np.exp(-2j * np.pi * (k.sum(1) * (side // 2) / side)) / side
    cells = (k[:, 1] % side) * side + k[:, 0] % side
    total = np.bincount(cells, weights, side * side).reshape(side, side)
    total = total + mirrored(total)
    sums = np.zeros((len(values), side * side), complex)
    for row, each in zip(sums, values * (shift * weights), strict=True):
        np.add.at(row, cells, each)
    grid = sums.reshape(-1, side, side)
    grid = grid + mirrored(grid).conj()
    mask = total > 0
    safe = np.where(mask, total, 1.0)
    return make_visibilities(grid / safe, mask, np.where(mask, 1 / (side * np.sqrt(safe)), 1.0))

"""CLEAN: point components are taken from a dirty image, at its highest pixel, one after the other: [Hogbom].

c = gain R(p),      model(p) += c,      R(q) -= c PSF(q - p)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError


@dataclass(frozen=True)
class Components:
    """model (n, n), flux a pixel; residual (n, n), flux a beam; count: of components taken."""

    model: NDArray[np.float64]
    residual: NDArray[np.float64]
    count: int


def check_clean(dirty: NDArray, psf: NDArray, gain: float, threshold: float, most: int) -> None:
    """Raise ImagingError where a point spread function does not fit an image, or a number is out of range."""
    n = len(dirty)
    if dirty.shape != (n, n) or psf.shape != (2 * n, 2 * n):
        raise ImagingError(f"expected an image (n, n) and a point spread function (2 n, 2 n), found {dirty.shape} and "
                           f"{psf.shape}")  # fmt: skip
    if not (0 < gain <= 1 and threshold >= 0 and most >= 0):
        raise ImagingError(f"expected a gain in 0 to 1, a threshold and a number of components >= 0, found {gain:g}, "
                           f"{threshold:g} and {most}")  # fmt: skip


def clean(
    dirty: NDArray[np.float64],  # shape: (n, n), flux a beam
    psf: NDArray[np.float64],  # shape: (2 n, 2 n), 1 at (n, n)
    threshold: float,
    gain: float = 0.1,
    most: int = 10_000,
    negative: bool = True,
) -> Components:
    """Components until the residual is below `threshold` everywhere, or `most` are taken.

    negative: take negative peaks, too, which mend what earlier components took too much of. Raises ImagingError out of
    range.
    """
    check_clean(dirty, psf, gain, threshold, most)
    n = len(dirty)
    residual, model, count = dirty.copy(), np.zeros_like(dirty), 0
    for count in range(most + 1):
        p = int((np.abs(residual) if negative else residual).argmax())
        i, j = divmod(p, n)
        if count == most or not abs(residual[i, j]) > threshold or (residual[i, j] < 0 and not negative):
            break
        flux = gain * residual[i, j]
        model[i, j] += flux
        residual -= flux * psf[n - i : 2 * n - i, n - j : 2 * n - j]
    return Components(model, residual, count)

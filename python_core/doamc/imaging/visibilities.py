"""Visibilities on the grid of the FFT, checked; and the image that a method makes of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError

#: pixels of all images of a set together: a transform of them takes 256 MiB
MAX_PIXELS = 1 << 24
#: side of an image; compressed sensing of one takes 2 GiB
MAX_SIDE = 2048
#: how far V(-k) may be from the conjugate of V(k), as a share of the largest |V|: what single precision leaves
_HERMITIAN = 1e-4


@dataclass(frozen=True)
class GridVisibilities:
    """y = S F x + z for B skies of n x n pixels, F the unitary FFT.

    values: (B, n, n), 0 where not measured, V(-k) = V(k)*. mask: (n, n) bool, True where measured. sigma: noise per
    complex value, E|z|^2 = sigma^2, one for all or (n, n), one a cell: z is the transform of real white noise.
    """

    values: NDArray[np.complex128]
    mask: NDArray[np.bool_]
    sigma: NDArray[np.float64]  # shape: () or (n, n)

    @property
    def side(self) -> int:
        """n."""
        return self.mask.shape[0]

    @property
    def cell_sigma(self) -> NDArray[np.float64]:
        """Noise of every cell, (n, n)."""
        return np.broadcast_to(self.sigma, self.mask.shape)

    def part(self, first: int, stop: int) -> "GridVisibilities":
        """Skies first..stop-1."""
        return GridVisibilities(self.values[first:stop], self.mask, self.sigma)


@dataclass(frozen=True)
class SkyImage:
    """Images (B, n, n) in flux a pixel.

    std: (B, n, n), one standard deviation, where the method has an error bar. model: (B, n, n), the sky whose
    visibilities were fitted, where the image is that sky seen with a beam.
    """

    image: NDArray[np.float64]
    std: NDArray[np.float64] | None = None
    model: NDArray[np.float64] | None = None


def cycles(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Frequency |k| of every cell of a grid (n, m), cycles an image, (n, m)."""
    rows, columns = (np.fft.fftfreq(n, 1 / n) for n in shape)
    return np.asarray(np.hypot(rows[:, None], columns))


def mirrored(cells: NDArray) -> NDArray:
    """The value at -k for every k of a grid (..., n, n)."""
    return np.roll(cells[..., ::-1, ::-1], (1, 1), (-2, -1))


def check_side(shape: tuple[int, ...], count: int = 1) -> None:
    """Raise ImagingError unless `count` images of this shape (n, n) are square and fit into memory."""
    if len(shape) != 2 or shape[0] != shape[1] or not 2 <= shape[0] <= MAX_SIDE:
        raise ImagingError(f"expected a square grid (n, n), n from 2 to {MAX_SIDE}, found shape {shape}")
    most = MAX_PIXELS // shape[0] ** 2
    if count > most:
        raise ImagingError(f"expected at most {most} skies of {shape[0]} x {shape[0]} pixels at once, found {count}")


def make_visibilities(values: NDArray, mask: NDArray, sigma: NDArray | float) -> GridVisibilities:
    """Checked visibilities: values (B, n, n) or (n, n) complex; mask (n, n) of truth values; sigma scalar or (n, n).

    What is not measured is set to 0, and V(k) to the mean of V(k) and V(-k)*, which differ by rounding.
    Raises ImagingError where shapes do not fit, the mask is empty or not Hermitian, a value is not finite, V(-k) is not
    V(k)*, or a sigma is not positive.
    """
    values, mask, noise = np.asarray(values), np.asarray(mask), np.asarray(sigma)
    check_side(mask.shape, len(values) if values.ndim == 3 else 1)
    if values.ndim not in (2, 3) or values.shape[-2:] != mask.shape or not values.size:
        raise ImagingError(f"expected visibilities of shape (B, {mask.shape[0]}, {mask.shape[0]}) as the mask has, "
                           f"found {values.shape}")  # fmt: skip
    if values.dtype.kind not in "cfiu" or mask.dtype.kind not in "bfiu" or noise.dtype.kind not in "fiu":
        raise ImagingError(f"expected complex visibilities, a mask of truth values and a real sigma, found "
                           f"{values.dtype}, {mask.dtype} and {noise.dtype}")  # fmt: skip
    measured = mask.astype(bool)
    if not measured.any():
        raise ImagingError("expected a mask that holds a measured cell, found none")
    if not (measured == mirrored(measured)).all():
        raise ImagingError("expected a Hermitian mask: whoever measures V(k) of a real sky knows V(-k), its conjugate")
    if noise.shape not in ((), mask.shape) and noise.size != 1:
        raise ImagingError(f"expected one sigma, or one a cell {mask.shape}, found shape {noise.shape}")
    noise = noise.astype(np.float64).reshape(()) if noise.size == 1 else noise.astype(np.float64)
    known = np.broadcast_to(noise, mask.shape)[measured]
    if not (np.isfinite(known) & (known > 0)).all():
        raise ImagingError("expected sigma > 0, the noise per complex visibility, found one that is not")
    if noise.shape and not (noise == mirrored(noise))[measured].all():
        raise ImagingError("expected the same sigma at k and at -k, found others")
    return GridVisibilities(_hermitian(values, measured), measured, noise)


def _hermitian(values: NDArray, measured: NDArray[np.bool_]) -> NDArray[np.complex128]:
    full = np.where(measured, values, 0).astype(np.complex128).reshape(-1, *measured.shape)
    if not np.isfinite(full).all():
        raise ImagingError("expected finite visibilities where the mask is true, found NaN or infinite ones")
    other = mirrored(full).conj()
    largest = np.abs(full).max()
    if np.abs(full - other).max() > _HERMITIAN * largest:
        raise ImagingError("expected V(-k) to be the conjugate of V(k), as that of a real sky is, found others; "
                           "average V(k) with the conjugate of V(-k) first")  # fmt: skip
    return 0.5 * (full + other)

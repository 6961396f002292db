"""The main lobe of a point spread function, and images restored with a beam of its shape."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError

_RAYS = np.linspace(0, np.pi, 36, endpoint=False)
_STEP = 0.05  #: pixels between points of a ray


@dataclass(frozen=True)
class Beam:
    """A Gaussian exp(-q^T P q / 2), q = (row, column) in pixels; precision: P, (2, 2)."""

    precision: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Its integral, pixels: flux a beam over flux a pixel."""
        return float(2 * np.pi / np.sqrt(np.linalg.det(self.precision)))

    @property
    def widths(self) -> tuple[float, float]:
        """Full widths at half maximum along its axes, pixels, the longer one first."""
        low, high = np.linalg.eigvalsh(self.precision)
        return tuple(float(w) for w in np.sqrt(8 * np.log(2) / np.array([low, high])))  # type: ignore[return-value]

    @property
    def angle(self) -> float:
        """Of the longer axis, rad, from the axis of rows towards that of columns, in 0 to pi."""
        row, column = np.linalg.eigh(self.precision)[1][:, 0]
        return float(np.arctan2(column, row) % np.pi)

    def transfer(self, side: int) -> NDArray[np.float64]:
        """Transform of the beam of integral 1, at the frequencies of the FFT of (side, side)."""
        f = np.fft.fftfreq(side)
        c = np.linalg.inv(self.precision)
        shape = c[0, 0] * f[:, None] ** 2 + 2 * c[0, 1] * f[:, None] * f + c[1, 1] * f**2
        return np.asarray(np.exp(-2 * np.pi**2 * shape))


def fit_beam(psf: NDArray[np.float64]) -> Beam:
    """The Gaussian whose half-maximum ellipse fits that of the main lobe of psf (2 n, 2 n), peak at (n, n).

    The lobe is interpolated between pixels; ellipse by least squares over rays, 1 / r^2 being linear in its matrix.
    Raises ImagingError where psf has no peak there.
    """
    n = len(psf) // 2
    if psf.shape != (2 * n, 2 * n) or not psf[n, n] > 0 or psf[n, n] < psf.max() * (1 - 1e-6):
        raise ImagingError("expected a point spread function (2 n, 2 n) with its peak at (n, n), found another")
    spectrum = np.fft.fft2(np.fft.ifftshift(psf)) / psf[n, n]
    spectrum[n, :] = spectrum[:, n] = 0  # the highest frequency has no sign: it cannot be interpolated
    frequency = np.fft.fftfreq(2 * n) * 2 * np.pi
    radii = [_half_radius(spectrum, frequency, np.array([np.cos(t), np.sin(t)]), n) for t in _RAYS]
    terms = np.stack([np.cos(_RAYS) ** 2, 2 * np.cos(_RAYS) * np.sin(_RAYS), np.sin(_RAYS) ** 2], 1)
    a, b, c = np.linalg.lstsq(terms, np.array(radii) ** -2.0, rcond=None)[0]
    precision = 2 * np.log(2) * np.array([[a, b], [b, c]])
    if np.linalg.eigvalsh(precision)[0] <= 0:  # rays along a line array end at the edge
        precision += np.eye(2) * 2 * np.log(2) / n**2
    return Beam(precision)


def _half_radius(spectrum: NDArray, frequency: NDArray, ray: NDArray, n: int) -> float:
    """Where the lobe falls to half of its peak along a ray, pixels; n where it does not."""
    size = len(frequency) ** 2
    first = 0.0
    while first < n:
        r = first + _STEP * np.arange(21)
        rows, columns = np.exp(1j * np.outer(r * ray[0], frequency)), np.exp(1j * np.outer(r * ray[1], frequency))
        values = ((rows @ spectrum) * columns).sum(1).real / size
        below = np.flatnonzero(values < 0.5)
        if below.size:
            k = max(int(below[0]), 1)
            return float(r[k] - _STEP * (0.5 - values[k]) / (values[k - 1] - values[k]))
        first = float(r[-1])
    return float(n)


def convolved(images: NDArray[np.float64], transfer: NDArray) -> NDArray[np.float64]:
    """Images (..., n, n) convolved around their edges by what has this transform, (n, n)."""
    return np.asarray(np.fft.ifft2(np.fft.fft2(images) * transfer).real)


def restored(model: NDArray[np.float64], residual: NDArray[np.float64], beam: Beam) -> NDArray[np.float64]:
    """Components (n, n) seen with the beam, and the residual in flux a beam, both in flux a pixel."""
    return convolved(model, beam.transfer(len(model))) + residual / beam.area

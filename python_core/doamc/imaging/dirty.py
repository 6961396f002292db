"""Dirty images, point spread functions and residuals of visibilities on a grid."""

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.visibilities import GridVisibilities


def dirty_image(visibilities: GridVisibilities) -> NDArray[np.float64]:
    """F^H y, (B, n, n): flux a pixel of the sky of least norm that fits the data (cells of one sigma)."""
    return np.asarray(np.fft.ifft2(visibilities.values, norm="ortho").real)


def natural_weights(visibilities: GridVisibilities) -> NDArray[np.float64]:
    """1 / sigma^2 of every measured cell, 0 elsewhere, scaled to sum 1."""
    weights = np.where(visibilities.mask, visibilities.cell_sigma, np.inf) ** -2.0
    return np.asarray(weights / weights.sum())


def beam_image(visibilities: GridVisibilities) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Dirty images (B, n, n) in flux a beam, and their point spread function (2 n, 2 n), peak 1 at pixel (n, n).

    Both by natural weights. The dirty image is the sky convolved with the point spread function, around the edges of
    the image: so the latter repeats after n pixels.
    """
    weights, n = natural_weights(visibilities), visibilities.side
    # a point of flux 1 in pixel 0 has V = 1/n in every cell: the factor n makes the peak 1
    image = np.fft.ifft2(weights * visibilities.values, norm="ortho").real * n**2
    psf = np.fft.ifft2(weights).real * n**2
    return image, np.tile(psf, (2, 2))


def residual_image(visibilities: GridVisibilities, images: NDArray[np.float64]) -> NDArray[np.float64]:
    """F^H (y - S F x), (B, n, n): what images (B, n, n) leave unexplained; noise alone where the sky is right."""
    rest = visibilities.values - np.where(visibilities.mask, np.fft.fft2(images, norm="ortho"), 0)
    return np.asarray(np.fft.ifft2(rest, norm="ortho").real)

"""Small skies, masks and visibilities for the tests of this room."""

import numpy as np


def hermitian_mask(shape, rng, share=0.4):
    """About this share of the cells and their mirror images, never DC."""
    mask = rng.random(shape) < share / 2
    mask |= np.roll(mask[::-1, ::-1], (1, 1), (0, 1))
    mask[0, 0] = False
    return mask


def observe(skies, mask, sigma, rng):
    """Visibilities (B, n, n) of skies (B, n, n): F (x + real white noise of deviation sigma) where measured."""
    return np.where(mask, np.fft.fft2(skies + sigma * rng.standard_normal(skies.shape), norm="ortho"), 0)


def points(n, *sources):
    """A sky (1, n, n) of points (row, column, flux)."""
    sky = np.zeros((1, n, n))
    for row, column, flux in sources:
        sky[0, row, column] += flux
    return sky


def blob(n, row, column, width, flux=1.0):
    """A Gaussian of this deviation in pixels, (n, n)."""
    g = np.arange(n)
    shape = np.exp(-((g[:, None] - row) ** 2 + (g - column) ** 2) / (2 * width**2))
    return flux * shape / shape.sum()

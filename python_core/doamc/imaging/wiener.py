"""A Gaussian sky of a power spectrum: its posterior mean and deviation in closed form, no network needed.

    x ~ N(0, F^H diag(P) F),   y = S F x + z
    F x | y:  mean P / (P + sigma^2) y, variance P sigma^2 / (P + sigma^2);  0 and P where nothing is measured

The spectrum of each sky is P(k) = A (1 + (k / k_0)^2)^-g, fitted to its visibilities by maximum likelihood. It is what
a learned prior is measured against: it knows sizes, and no shapes.
"""

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.visibilities import GridVisibilities, SkyImage, cycles

#: corner frequencies k_0, cycles an image, and exponents g that are tried, each with its own best A
_CORNERS = np.geomspace(0.5, 32, 25)
_SLOPES = np.array([0.5, 1, 1.5, 2, 3, 4, 6, 8])
_ROUNDS = 12


def wiener(visibilities: GridVisibilities) -> SkyImage:
    """Posterior mean and standard deviation of every sky, flux a pixel; the deviation is the same in all pixels."""
    k, noise = cycles(visibilities.mask.shape), visibilities.cell_sigma**2
    images, spreads = [], []
    for values in visibilities.values:
        power = fit_spectrum(np.abs(values) ** 2, k, noise, visibilities.mask)
        gain = np.where(visibilities.mask, power / (power + noise), 0)
        images.append(np.fft.ifft2(gain * values, norm="ortho").real)
        spreads.append(np.full(power.shape, np.sqrt((power * (1 - gain)).mean())))
    return SkyImage(np.stack(images), np.stack(spreads))


def fit_spectrum(
    found: NDArray[np.float64],  # |V|^2, (n, n)
    k: NDArray[np.float64],  # cycles an image, (n, n)
    noise: NDArray[np.float64],  # variance of z, (n, n)
    mask: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """P (n, n) of greatest likelihood: minimises sum over measured cells of log(P + s) + |V|^2 / (P + s).

    Cells count by rings of the same rounded k, with their mean |V|^2 and mean noise.
    """
    _, ring, count = np.unique(np.rint(k[mask]), return_inverse=True, return_counts=True)
    f, s, r = (np.bincount(ring.ravel(), of[mask]) / count for of in (found, noise, k))
    shape = (1 + (r / _CORNERS[:, None, None]) ** 2) ** -_SLOPES[:, None]  # (corners, slopes, rings)
    level = (count * np.maximum(f - s, 1e-3 * s) / shape).sum(-1) / count.sum()  # of A: by moments, then by scoring
    for _ in range(_ROUNDS):
        p = level[..., None] * shape
        t = p + s
        slope = (count * p / t * (1 - f / t)).sum(-1)
        information = (count * (p / t) ** 2).sum(-1)  # Fisher's, of log A
        level = level * np.exp(np.clip(-slope / np.maximum(information, 1e-12), -1, 1))
    total = level[..., None] * shape + s
    corner, exponent = np.unravel_index((count * (np.log(total) + f / total)).sum(-1).argmin(), level.shape)
    return np.asarray(level[corner, exponent] * (1 + (k / _CORNERS[corner]) ** 2) ** -_SLOPES[exponent])

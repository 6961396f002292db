"""Compressed sensing with the starlet, the isotropic undecimated wavelet transform (IUWT) of [Starck], as in [Li].

    minimise |y - S F B a|^2 / 2 + sum_j lambda_j |a_j|_1 over a >= 0,      x = B a = sum_j b_j * a_j

b_j are the atoms from which the starlet's second generation rebuilds an image: b_0 a pixel, b_{j+1} = h_j * b_j, where
h_j is the B3 spline (1, 4, 6, 4, 1) / 16 along rows and columns with 2^j - 1 zeros in between. They are positive, so
that a >= 0 makes a positive sky of few bumps of some sizes. (The paper's form has a penalty on the transform of x
instead; the sky is then positive only by clipping, which adds flux where no visibility sees it.)
Solved by FISTA [Beck]. lambda_j is a multiple of the noise of b_j * F^H z, and comes down to it from far above.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.visibilities import GridVisibilities

#: how far above its end lambda starts; it comes down in the first half of the steps
_START = 30.0
#: after which an image changes by less than its error
STEPS = 100


def atoms(side: int) -> NDArray[np.float64]:
    """Transforms of b_0 .. b_J, (J + 1, n, n // 2 + 1), real; the widest one fills a quarter of the image."""
    f = 2 * np.pi * np.fft.fftfreq(side)
    found = [np.ones((side, side))]
    for j in range(max(1, int(np.log2(side)) - 2)):
        line = (6 + 8 * np.cos(2**j * f) + 2 * np.cos(2 * 2**j * f)) / 16
        found.append(found[-1] * line[:, None] * line)
    return np.stack(found)[..., : side // 2 + 1]


def iuwt(
    visibilities: GridVisibilities,
    steps: int = STEPS,
    level: float = 2.0,
    report: Callable[[int], None] | None = None,
) -> NDArray[np.float64]:
    """Images (B, n, n), flux a pixel. level: lambda over the noise; report: called with the skies done."""
    n = visibilities.side
    b, half = atoms(n), n // 2 + 1
    # cells of more noise count less: S is scaled by sigma_min / sigma, at most 1
    least = float(visibilities.cell_sigma[visibilities.mask].min())
    gain = np.where(visibilities.mask, least / visibilities.cell_sigma, 0) ** 2
    twice = np.where((np.arange(half) == 0) | (2 * np.arange(half) == n), 1, 2)  # columns that stand for two
    noise = least * np.sqrt((b**2 * gain[:, :half] * twice).sum((-2, -1)) / n**2)[:, None, None]
    steepest = float((b**2 * gain[:, :half]).sum(0).max())
    images = []
    for values in visibilities.values[..., :half]:
        a = z = np.zeros((len(b), n, n))
        momentum = 1.0
        for k in range(steps):
            rest = gain[:, :half] * (values - (np.fft.rfft2(z, norm="ortho") * b).sum(0))
            threshold = level * noise * max(1.0, _START ** (1 - 2 * k / steps))
            new = np.maximum(z + (np.fft.irfft2(rest * b, (n, n), norm="ortho") - threshold) / steepest, 0)
            following = 0.5 + np.sqrt(0.25 + momentum**2)
            z = new + (momentum - 1) / following * (new - a)
            a, momentum = new, following
        images.append(np.fft.irfft2((np.fft.rfft2(a) * b).sum(0), (n, n)))
        if report is not None:
            report(len(images))
    return np.stack(images)

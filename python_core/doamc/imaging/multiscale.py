"""Multi-scale CLEAN: components are blobs of several sizes: [Cornwell].

Each scale a has a kernel m_a of integral 1. The residual is held convolved with every kernel, R_a = R * m_a, and so is
the point spread function with every pair, P_ab = PSF * m_a * m_b. A component of scale a at p takes

    c = gain R_a(p) / P_aa(0),      R_b -= c P_ab(. - p)

R_a / P_aa(0)^(1/2) has the same noise for every scale under natural weights, that of the dirty image: scale and place
are where it, times the bias 1 - 0.6 a / a_max of the paper, is largest; and CLEAN stops where it is below a threshold.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.beam import convolved
from doamc.imaging.clean import Components, check_clean

#: radii of components, pixels; those beyond a sixth of the image are left out
SCALES = (0, 2, 4, 8, 16, 32)
_BIAS = 0.6
#: bytes of P_ab
MAX_BYTES = 1 << 31


def kernel(radius: float, side: int) -> NDArray[np.float64]:
    """A paraboloid that falls to zero at a radius, tapered by a Hann window, integral 1; around pixel (0, 0)."""
    f = np.fft.fftfreq(side, 1 / side)
    r = np.hypot(f[:, None], f) / max(radius, 0.5)
    shape = np.where(r < 1, (1 - r**2) * (0.5 + 0.5 * np.cos(np.pi * np.minimum(r, 1))), 0)
    return np.asarray(shape / shape.sum())


def scales_of(side: int) -> tuple[int, ...]:
    """The scales that an image of this side has room for."""
    return tuple(s for s in SCALES if s <= side / 6)


def multiscale_clean(
    dirty: NDArray[np.float64],  # shape: (n, n), flux a beam
    psf: NDArray[np.float64],  # shape: (2 n, 2 n), 1 at (n, n)
    threshold: float,
    scales: Sequence[float] | None = None,
    gain: float = 0.2,
    most: int = 5_000,
) -> Components:
    """Components until no scale is above `threshold`, or `most` are taken. Raises ImagingError out of range."""
    check_clean(dirty, psf, gain, threshold, most)
    n = len(dirty)
    radii = tuple(scales) if scales is not None else scales_of(n)
    if not radii or min(radii) < 0 or max(radii) > n / 2:
        raise ImagingError(f"expected scales of 0 to {n // 2} pixels, found {radii}")
    if 32 * n**2 * len(radii) ** 2 > MAX_BYTES:
        raise ImagingError(f"expected images whose scales take at most {MAX_BYTES >> 20} MiB, found {len(radii)} "
                           f"scales of a side of {n}; give fewer")  # fmt: skip
    small = np.stack([np.fft.fft2(kernel(r, n)) for r in radii])
    large = np.stack([np.fft.fft2(kernel(r, 2 * n)) for r in radii])
    smooth, places_of = _smoothed(dirty, psf, small, large, radii)  # R_a, (S, n, n)
    pairs = convolved(psf, large[:, None] * large)  # P_ab, (S, S, 2 n, 2 n)
    own = pairs[np.arange(len(radii)), np.arange(len(radii)), n, n]
    rank = (1 - _BIAS * np.array(radii) / max(*radii, 1)) / np.sqrt(own)
    fluxes, count = np.zeros((len(radii), n, n)), 0
    for count in range(most + 1):
        size = (np.abs(smooth) * places_of).reshape(len(radii), -1)
        places = size.argmax(1)
        peaks = size[np.arange(len(radii)), places]
        a = int((peaks * rank).argmax())
        if count == most or not (peaks / np.sqrt(own)).max() > threshold:
            break
        i, j = divmod(int(places[a]), n)
        flux = gain * smooth[a, i, j] / own[a]
        fluxes[a, i, j] += flux
        smooth -= flux * pairs[a][:, n - i : 2 * n - i, n - j : 2 * n - j]
    model = convolved(fluxes, small).sum(0)
    seen = convolved(_padded(model), np.fft.fft2(np.fft.ifftshift(psf)))[:n, :n]
    return Components(model, dirty - seen, count)


def _smoothed(
    dirty: NDArray[np.float64],
    psf: NDArray[np.float64],
    small: NDArray[np.complex128],
    large: NDArray[np.complex128],
    radii: Sequence[float],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """R_a, and where components of every scale may lie, (S, n, n) each.

    Around the edges where the point spread function repeats there, as on the grid. Else what lies beyond the edges is
    not known: components keep a radius away, since scales would contradict each other and no components agree.
    """
    n = len(dirty)
    if psf[0, n] > 0.999 * psf[n, n]:
        return convolved(dirty, small), np.ones(small.shape, bool)
    edge = np.minimum(np.arange(n), np.arange(n)[::-1])
    inside = [np.minimum(edge[:, None], edge) >= r for r in radii]
    return convolved(_padded(dirty), large)[:, :n, :n], np.stack(inside)


def _padded(image: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pad(image, (0, len(image)))

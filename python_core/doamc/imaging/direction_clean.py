"""CLEAN on directions: sources are taken out of the visibilities one after the other, where the dirty image is highest.

Högbom's algorithm (1974) with the array's true beam, which depends on direction: components lie between the pixels, at
the peak by `fit_peak`, and are subtracted from the visibilities themselves (as by Schwab, 1984),

    V <- V - gamma D(q) a(q) a(q)^H,       D(s) <- D(s) - gamma D(q) B(s, q)

so that nothing is rounded to a grid. What is left is the residual.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.errors import ImagingError
from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.peak_fit import fit_peak

#: steps of a fit for one component: what they miss, the next component takes
_STEPS = 3


@dataclass(frozen=True)
class Cleaned:
    """Components: unit vectors (K, 3) and powers (K,). left: visibilities (N, N), and residual: their image (H, W)."""

    directions: NDArray[np.float64]
    powers: NDArray[np.float64]
    left: NDArray[np.complex128]
    residual: NDArray[np.float64]


def clean(
    beam: ArrayBeam,
    visibilities: NDArray[np.complex128],  # shape: (N, N)
    floor: NDArray[np.float64],  # shape: (H, W)
    gain: float = 0.2,
    most: int = 300,
) -> Cleaned:
    """Take out components until no pixel of the residual is beyond `floor`, or `most` are out.

    gain: gamma, share of a peak that one component takes. Negative peaks are taken, too, as Högbom does: they mend what
    earlier components took too much of. Raises ImagingError out of range.
    """
    if not (0 < gain <= 1 and most >= 0):
        raise ImagingError(f"expected a gain within 0 to 1 and a number of components, found {gain:g} and {most}")
    v, residual = np.array(visibilities, dtype=complex), beam.dirty(visibilities)
    inside = beam.grid.inside
    limit = np.where(inside, floor, np.inf)
    directions, powers = [], []
    for _ in range(most):
        excess = np.abs(residual) - limit
        pixel = np.unravel_index(int(excess.argmax()), excess.shape)
        if not excess[pixel] > 0:
            break
        sign = np.sign(residual[pixel])
        peak = fit_peak(beam, sign * v, beam.grid.directions[pixel], _STEPS)
        power = gain * sign * peak.power
        a = beam.response(peak.direction[None])[0]
        v -= power * np.outer(a, a.conj())
        residual = residual - power * beam.psf(peak.direction)
        directions.append(peak.direction)
        powers.append(float(power))
    return Cleaned(np.reshape(directions, (-1, 3)), np.array(powers), v, residual)


def restored(
    beam: ArrayBeam,
    directions: NDArray[np.float64],  # shape: (K, 3)
    powers: NDArray[np.float64],  # shape: (K,)
) -> NDArray[np.float64]:
    """Components with beams without sidelobes, (H, W)."""
    image = np.zeros(beam.grid.shape)
    for direction, power in zip(directions, powers, strict=True):
        image += power * beam.clean_beam(direction)
    return image

"""The peak of a dirty image between its pixels, by Newton's steps on the sphere, and how far it may be off.

D(s) = a(s)^H V a(s) / N^2 along tangents t_k of the sphere, with psi_k = 2 pi X t_k:

    g_k  = 2 Re(a_k^H V a) / N^2                          a_k  = j psi_k a
    H_kl = 2 Re(a_kl^H V a + a_k^H V a_l) / N^2           a_kl = -psi_k psi_l a - [k = l] j psi_0 a,  psi_0 = 2 pi X s

(the last term since a great circle bends towards -s). Of a sample covariance of L snapshots, tr(A R) and tr(B R) have
the covariance tr(A R B R) / L [Goodman], so that the gradient has, and the peak that of H^-1 g.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_visibilities import ArrayVisibilities
from doamc.imaging.sky_grid import angles_of, tangent_frame

_STEPS, _CLOSE_RAD = 12, 1e-7
#: curvature along a tangent, over the sharpest, below which the image says nothing of it
_FLAT = 1e-3
#: component along a tangent of what is not told, from which on the tangent is not told
_ASIDE = 0.05
#: steps are cut to this share of a beam
_SHARE = 0.25


@dataclass(frozen=True)
class Peak:
    """A local maximum: unit vector (3,), and the dirty image there."""

    direction: NDArray[np.float64]
    power: float


def fit_peak(
    beam: ArrayBeam,
    visibilities: NDArray[np.complex128],  # shape: (N, N)
    start: NDArray[np.float64],  # shape: (3,), unit vector
    steps: int = _STEPS,
) -> Peak:
    """The maximum of D near a direction; tangents along which D does not bend down are left as they are."""
    at, best = start, _value(beam, visibilities, start)
    longest = _SHARE * 2 * math.sqrt(math.log(2) / float(np.linalg.eigvalsh(beam.spread)[-1])) / (2 * math.pi)
    for _ in range(steps):
        tangents, gradient, hessian = _slopes(beam, visibilities, at)
        values, vectors = np.linalg.eigh(hessian)
        bends = values < _FLAT * min(values[0], 0.0)
        if not bends.any():
            break
        step = vectors[:, bends] @ (-(vectors[:, bends].T @ gradient) / values[bends])
        size = float(np.linalg.norm(step))
        step *= min(1.0, longest / size) if size > 0 else 0.0
        moved = False
        for _ in range(4):  # a step too far is halved
            there = at + step @ tangents
            there /= np.linalg.norm(there)
            value = _value(beam, visibilities, there)
            if value > best:
                at, best, moved = there, value, True
                break
            step = step / 2
        if not moved or np.linalg.norm(step) < _CLOSE_RAD:
            break
    return Peak(at, best)


def spread_of_peak(
    beam: ArrayBeam, observed: ArrayVisibilities, own: NDArray[np.complex128], direction: NDArray[np.float64]
) -> tuple[float, float]:
    """Standard deviations in azimuth and elevation, deg, of a peak at a unit vector, of L Gaussian snapshots.

    own: visibilities (N, N) whose peak it is, those of other sources taken out. NaN where the image does not bend
    along both, as by a line, or near the edge of a plane in elevation. The coupling is taken as known.
    """
    tangents, _, hessian = _slopes(beam, own, direction)
    a = beam.response(direction[None])[0]
    level = max(1e-12, float(np.hypot(direction[0], direction[1])))
    n = beam.n_elements
    r = observed.total  # tr(F W R W^H) has the form W^H F W, and W R W^H is this
    parts = [1j * (2 * math.pi * beam.positions @ t) * a for t in tangents]
    forms = [(np.outer(a, p.conj()) + np.outer(p, a.conj())) / n**2 for p in parts]
    noise = np.array([[np.trace(x @ r @ y @ r).real for y in forms] for x in forms]) / observed.snapshots
    values, vectors = np.linalg.eigh(hessian)
    bends = values < _FLAT * min(values[0], 0.0)
    inverse = (vectors[:, bends] / values[bends]) @ vectors[:, bends].T
    spread = np.sqrt(np.maximum(np.diag(inverse @ noise @ inverse.T), 0.0))
    spread[(np.abs(vectors[:, ~bends]) > _ASIDE).any(1)] = math.nan
    spread[~np.isfinite(beam.width_deg(direction))] = math.nan  # at the edge of a plane D bends, and nothing moves it
    azimuth, elevation = np.degrees(spread)
    return float(azimuth) / level, float(elevation)


def _value(beam: ArrayBeam, v: NDArray[np.complex128], direction: NDArray[np.float64]) -> float:
    a = beam.response(direction[None])[0]
    return float((a.conj() * (v @ a)).sum().real) / beam.n_elements**2


def _slopes(
    beam: ArrayBeam, v: NDArray[np.complex128], direction: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Tangents (2, 3) of rising azimuth and elevation, gradient (2,) and Hessian (2, 2), per rad."""
    azimuth, elevation = (float(angle[0]) for angle in angles_of(direction[None]))
    tangents = tangent_frame(azimuth, elevation)[:2]
    a = beam.response(direction[None])[0]
    psi = 2 * math.pi * tangents @ beam.positions.T
    own = 2 * math.pi * beam.positions @ direction
    va, first = v @ a, 1j * psi * a
    gradient = 2 * (first.conj() @ va).real
    second = -psi[:, None] * psi[None] * a
    second[0, 0] -= 1j * own * a
    second[1, 1] -= 1j * own * a
    hessian = 2 * ((second.conj() @ va) + first.conj() @ v @ first.T).real
    scale = beam.n_elements**2
    return tangents, gradient / scale, hessian / scale

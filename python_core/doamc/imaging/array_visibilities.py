"""The covariance of an array as visibilities: without noise and without coupling.

    R = C V C^H + sigma^2 I          V = C^-1 (R - sigma^2 I) C^-H

V_pq = <E_p E_q*> is what uncoupled antennas at the places of the elements would measure of the sky.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from doamc.calibration.correction import correction_matrix
from doamc.errors import ImagingError

#: relative deviation from the Hermitian matrix that rounding leaves, in single precision
_HERMITIAN = 1e-4


@dataclass(frozen=True)
class ArrayVisibilities:
    """Visibilities of one integration.

    values: V, (N, N). total: the same with the noise left in, C^-1 R C^-H. snapshots: independent ones, of which the
    spread is told. noise_power: sigma^2 per element. coupling: C that was taken out, None where it was left in.
    """

    values: NDArray[np.complex128]
    total: NDArray[np.complex128]
    snapshots: float
    noise_power: float
    coupling: NDArray[np.complex128] | None = None


def array_visibilities(
    covariance: NDArray[np.complex128],  # shape: (N, N)
    snapshots: float,
    noise_power: float | None = None,
    coupling: NDArray[np.complex128] | None = None,  # shape: (N, N)
    n_sources: int | None = None,
) -> ArrayVisibilities:
    """Visibilities of a sample covariance R of so many independent snapshots.

    noise_power: sigma^2; None for the mean of the smallest N - P eigenvalues of R, times L / (L - P), with P n_sources
    or, where that is None, too, the number of minimum description length. coupling: C to take out, of mean diagonal 1;
    None leaves it in. Raises ImagingError where R is no covariance or L < 1, CalibrationError where C cannot be
    inverted.
    """
    r = _checked(covariance)
    n = len(r)
    level = float(np.trace(r).real) / n
    if not level > 0 or np.abs(r - r.conj().T).max() > _HERMITIAN * level * n:
        raise ImagingError("expected a covariance matrix, found one that is not Hermitian or has no power")
    if not 1 <= snapshots < math.inf:
        raise ImagingError(f"expected a covariance of at least one snapshot, found {snapshots}")
    r = (r + r.conj().T) / 2
    if noise_power is None:
        noise_power = _noise_power(r, snapshots, n_sources)
    elif not 0 <= noise_power < math.inf:
        raise ImagingError(f"expected a noise power >= 0, found {noise_power}")
    clean = r - noise_power * np.eye(n)
    if coupling is None:
        return ArrayVisibilities(clean, r, float(snapshots), float(noise_power))
    c = np.asarray(coupling, dtype=complex)
    if c.shape != r.shape:
        raise ImagingError(f"expected a coupling matrix {n} x {n} as the covariance, found {c.shape}")
    return ArrayVisibilities(
        without_coupling(clean, c), without_coupling(r, c), float(snapshots), float(noise_power), c
    )


def without_coupling(r: NDArray[np.complex128], coupling: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """C^-1 R C^-H, (N, N). Raises CalibrationError where C cannot be inverted."""
    w = correction_matrix(coupling)
    return w @ r @ w.conj().T


def number_of_sources(covariance: NDArray[np.complex128], snapshots: float) -> int:
    """Sources P by minimum description length, at most N / 2; coupling does not matter to it.

    Raises ImagingError where R is no finite matrix.
    """
    import torch

    from doamc.estimators.order import source_number

    found = source_number(torch.from_numpy(_checked(covariance)[None]), max(1, int(snapshots)))
    return min(int(found[0]), len(covariance) // 2)


def _checked(covariance: NDArray[np.complex128]) -> NDArray[np.complex128]:
    r = np.asarray(covariance, dtype=complex)
    if r.ndim != 2 or r.shape != (len(r), len(r)) or len(r) < 2 or not np.isfinite(r).all():
        found = "NaN or infinity in it" if r.ndim == 2 and not np.isfinite(r).all() else f"shape {r.shape}"
        raise ImagingError(f"expected a finite covariance matrix (N, N), N >= 2, found {found}")
    return r


def _noise_power(r: NDArray[np.complex128], snapshots: float, n_sources: int | None) -> float:
    import torch

    from doamc.snapshots.noise_level import noise_power_from_eigenvalues, unbiased_noise_power

    p = number_of_sources(r, snapshots) if n_sources is None else n_sources
    if not 0 <= p < len(r):
        raise ImagingError(f"expected a number of sources within 0 to {len(r) - 1}, found {p}")
    power = noise_power_from_eigenvalues(torch.from_numpy(r[None]), p)
    return float(unbiased_noise_power(power, snapshots, p)[0])

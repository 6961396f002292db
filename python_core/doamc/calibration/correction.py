"""The regularised inverse of a coupling matrix."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.errors import CalibrationError

#: condition number beyond which an inverse without regularisation is refused
CONDITION = 1e6


def correction_matrix(
    coupling: NDArray[Any],  # shape: (N, N), complex
    regularisation: float = 0.0,
) -> NDArray[np.complex128]:
    """W = (C^H C + lambda I)^-1 C^H, shape (N, N): the z that minimises |y - C z|^2 + lambda |z|^2 is W y (Tikhonov).

    With lambda = 0 it is C^-1. With lambda = s2 / p, noise power over signal power per element, it is the linear
    minimum mean-square error estimate of z from y = C z + n when the elements' signals z are uncorrelated, of power p
    (`mmse_regularisation`). W C is I with each singular direction of C, of singular value c, shrunk by
    c^2 / (c^2 + lambda): that bends bearings a little, where lambda is not far below the smallest c^2.

    Raises CalibrationError when C is not square and finite, lambda is negative, or C cannot be inverted.
    """
    c = np.asarray(coupling, dtype=complex)
    if c.ndim != 2 or c.shape[0] != c.shape[1] or not np.isfinite(c).all():
        raise CalibrationError(f"expected a finite square coupling matrix, found shape {c.shape}")
    if not 0 <= regularisation < math.inf:
        raise CalibrationError(f"expected a regularisation >= 0, found {regularisation}")
    left, values, right = np.linalg.svd(c)
    if not values[0] > 0 or (regularisation == 0 and values[0] > CONDITION * values[-1]):
        raise CalibrationError("the coupling matrix cannot be inverted: expected full rank, or a regularisation > 0")
    weights = values / (values**2 + regularisation)
    return (right.conj().T * weights) @ left.conj().T


def mmse_regularisation(noise_power: float | None, powers_db: list[float | None]) -> float:
    """lambda = s2 / p of `correction_matrix`, with p the sum of the sources' powers (dB each, at one element).

    Raises CalibrationError when the noise power or every source's power is unknown.
    """
    powers = [10 ** (p / 10) for p in powers_db if p is not None and math.isfinite(p)]
    if noise_power is None or not 0 <= noise_power < math.inf or not powers:
        raise CalibrationError(
            f"expected a noise power and the power of a source, found {noise_power} and {powers_db}; use a fixed "
            "regularisation with methods that do not estimate them"
        )
    return noise_power / sum(powers)

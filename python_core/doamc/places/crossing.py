"""Where bearings of several receivers cross, and how well that is known."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from doamc.angles import wrap_rad

_ITERATIONS = 50
#: least deviation of a bearing, rad: one of zero would leave the other bearings without weight
_LEAST_STD = math.radians(0.01)
#: least sine of the angle between two bearing lines that still counts as a crossing
_LEAST_SINE = math.sin(math.radians(0.5))


@dataclass(frozen=True)
class Crossing:
    """A crossing point: east_m, north_m; covariance (2, 2) in m^2; chi2: weighted squared misfit of the bearings."""

    east_m: float
    north_m: float
    covariance: NDArray[np.float64]
    chi2: float


def cross_bearings(
    positions_m: ArrayLike,  # shape: (R, 2), east and north
    bearing: ArrayLike,  # shape: (R,), rad clockwise from north
    std: ArrayLike,  # shape: (R,), rad
) -> Crossing | None:
    """Weighted least squares over the angles, `sum ((bearing - predicted) / std)^2`, by Gauss-Newton.

    Starts where the squared distances to the lines are least. The covariance is the inverse Fisher information at the
    solution, `(J^T W J)^-1`, which bounds the error for small ones (Torrieri, "Statistical theory of passive location
    systems", IEEE Trans. AES 20(2), 1984, eq. (26)). R >= 2. None when the lines are parallel, or cross behind a
    receiver, or no solution is found.
    """
    p = np.asarray(positions_m, dtype=float)
    b = np.asarray(bearing, dtype=float)
    weight = 1.0 / np.maximum(np.asarray(std, dtype=float), _LEAST_STD) ** 2
    along = np.stack([np.sin(b), np.cos(b)], axis=1)
    normal = np.stack([np.cos(b), -np.sin(b)], axis=1)
    if np.abs(along[:, None, 0] * along[None, :, 1] - along[:, None, 1] * along[None, :, 0]).max() < _LEAST_SINE:
        return None
    x = nearest_to_lines(p, normal, weight)
    chi2, jacobian = _misfit(x, p, b, weight)
    for _ in range(_ITERATIONS):
        residual = _residual(x, p, b)
        information = jacobian.T @ (weight[:, None] * jacobian)
        if not np.isfinite(information).all() or np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, jacobian.T @ (weight * residual))
        scale = 1.0
        while scale > 1e-3 and _misfit(x + scale * step, p, b, weight)[0] > chi2 * (1 + 1e-12):
            scale /= 2
        x = x + scale * step
        chi2, jacobian = _misfit(x, p, b, weight)
        if np.hypot(*(scale * step)) <= 1e-9 * (1.0 + np.abs(x - p).max()):
            break
    else:
        return None
    if not np.isfinite(x).all() or ((x - p) * along).sum(axis=1).min() <= 0:
        return None
    covariance = np.linalg.inv(jacobian.T @ (weight[:, None] * jacobian))
    return Crossing(float(x[0]), float(x[1]), covariance, float(chi2))


def nearest_to_lines(
    p: NDArray[np.float64],  # shape: (R, 2), a point of each line, m
    normal: NDArray[np.float64],  # shape: (R, 2), unit vectors across the lines
    weight: NDArray[np.float64],  # shape: (R,)
) -> NDArray[np.float64]:
    """The point, (2,) m, whose weighted squared distances to some lines, not all parallel, are least.

    With weights `1 / (std * distance)^2` it is the fix of [Stansfield].
    """
    gram = normal.T @ (weight[:, None] * normal)
    x: NDArray[np.float64] = np.linalg.solve(gram, normal.T @ (weight * (normal * p).sum(axis=1)))
    return x


def error_ellipse(
    covariance: NDArray[np.float64],  # shape: (2, 2), m^2, east and north
    probability: float = 0.95,
) -> tuple[float, float, float]:
    """Ellipse that holds a Gaussian point with a probability: semi-axes in m, the longer first, and its bearing, deg.

    The bearing of the longer axis is 0 to 180 clockwise from north. The radius is `sqrt(-2 ln(1 - probability))`
    standard deviations, the quantile of chi-square with two degrees of freedom.
    """
    radius = math.sqrt(-2.0 * math.log1p(-probability))
    values, vectors = np.linalg.eigh(covariance)
    major, minor = radius * np.sqrt(np.maximum(values[::-1], 0.0))
    east, north = vectors[:, 1]
    return float(major), float(minor), math.degrees(math.atan2(east, north)) % 180.0


def _residual(x: NDArray[np.float64], p: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    away = x - p
    return wrap_rad(b - np.arctan2(away[:, 0], away[:, 1]))


def _misfit(
    x: NDArray[np.float64], p: NDArray[np.float64], b: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Weighted squared misfit at x, and the derivative of the predicted bearings, (R, 2)."""
    away = x - p
    square = np.maximum((away**2).sum(axis=1, keepdims=True), 1e-12)
    jacobian = np.stack([away[:, 1], -away[:, 0]], axis=1) / square
    return float((weight * _residual(x, p, b) ** 2).sum()), jacobian

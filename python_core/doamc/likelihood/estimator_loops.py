"""Compiled loops of estimators in closed form: one call where NumPy takes dozens, which is most of a single estimate.

`estimators.quadratic` and `estimators.misfit` have what they compute; it stays the reference and runs on other devices.
"""

import ctypes
from ctypes import c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from doamc.likelihood.addresses import address
from doamc.likelihood.kernels import Kernels, check_status
from doamc.snapshots.look import Look


class _SpectrumStructure(ctypes.Structure):
    """`struct spectrum` of quadratic.h."""

    _fields_ = [
        *((name, c_int64) for name in ("n", "points", "circle", "newton")),
        *((name, c_void_p) for name in ("wave", "azimuth", "kernel")),
    ]


@dataclass(frozen=True)
class SpectrumGrid:
    """An array and the grid of its spectrum.

    wave: (N, 2) 2 pi x and 2 pi y. azimuth: (G,) rad, evenly spaced; circle: whether it closes one. kernel:
    (N (N - 1), G), a* a' of the pairs above the diagonal, real and minus imaginary parts, twice. newton: steps.
    """

    wave: np.ndarray
    azimuth: np.ndarray
    kernel: np.ndarray
    circle: bool
    newton: int

    @cached_property
    def structure(self) -> _SpectrumStructure:
        """What the library reads; its arrays live as long as this object. Raises KernelError where they do not fit."""
        n, points = len(self.wave), len(self.azimuth)
        return _SpectrumStructure(
            n, points, self.circle, self.newton, address(self.wave, "wave", (n, 2)),
            address(self.azimuth, "azimuth", (points,)), address(self.kernel, "kernel", (n * (n - 1), points)),
        )  # fmt: skip


def minima(kernels: Kernels, grid: SpectrumGrid, matrix: np.ndarray, count: int) -> np.ndarray:
    """Azimuths (B, count) in rad, in no order, of the lowest minima of a^H M a, M (B, N, N) Hermitian."""
    b, n, out = len(matrix), len(grid.wave), np.empty((len(matrix), count))
    m = np.ascontiguousarray(matrix)
    place = address(m, "matrix", (b, n, n), np.complex128)
    check_status(
        kernels.minima(ctypes.byref(grid.structure), c_int64(b), place, c_int64(count), c_void_p(out.ctypes.data))
    )
    return out


def residual(
    kernels: Kernels, covariance: np.ndarray, response: np.ndarray, noise_power: np.ndarray, free: bool = False
) -> np.ndarray:
    """||R^-1/2 Rhat R^-1/2 - I||^2 (B,) of R = V V^H + s2 I; NaN where R is not positive.

    covariance: Rhat (B, N, N). response: V (B, N, P). noise_power: s2 (B,). free: of R = V S V^H + s2 I with the
    likeliest S, and s2 where it is NaN.
    """
    arrays, out = [np.ascontiguousarray(x) for x in (covariance, response, noise_power)], np.empty(len(response))
    check_status(kernels.residual(*_places(*arrays), c_int64(free), c_void_p(out.ctypes.data)))
    return out


def powers(kernels: Kernels, covariance: np.ndarray, response: np.ndarray, noise_power: np.ndarray) -> np.ndarray:
    """Powers (B, P) of `estimators.powers.source_powers`; shapes as in `residual`."""
    arrays = [np.ascontiguousarray(x) for x in (covariance, response, noise_power)]
    out = np.empty((response.shape[0], response.shape[2]))
    check_status(kernels.powers(*_places(*arrays), c_void_p(out.ctypes.data)))
    return out


def _places(covariance: np.ndarray, response: np.ndarray, noise_power: np.ndarray) -> tuple[Any, ...]:
    """Sizes and addresses, which hold as long as the caller holds the arrays."""
    b, n, p = response.shape
    return (
        c_int64(b), c_int64(n), c_int64(p), address(covariance, "covariance", (b, n, n), np.complex128),
        address(response, "response", (b, n, p), np.complex128), address(noise_power, "noise_power", (b,)),
    )  # fmt: skip


def look(kernels: Kernels, samples: np.ndarray, step: int, part: float) -> Look:
    """One look at samples (B, N, L) complex128.

    calm: whether in every channel no more than half of every step-th sample lie below `part` of the greatest power.
    """
    b, n, length = samples.shape
    found = Look(
        np.empty((b, n, 3)), np.empty((b, n), np.complex128), np.empty((b, n, n), np.complex128), np.empty(b),
        np.empty(b, np.bool_),
    )  # fmt: skip
    y = np.ascontiguousarray(samples)
    place = address(y, "samples", (b, n, length), np.complex128)
    sizes = c_int64(b), c_int64(n), c_int64(length)
    check_status(kernels.look(*sizes, place, c_int64(step), c_double(part), *(c_void_p(x.ctypes.data) for x in found)))
    return found

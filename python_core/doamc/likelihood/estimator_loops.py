"""Compiled loops of estimators in closed form: one call where NumPy takes dozens, which is most of a single estimate.

What they compute stands in `estimators.quadratic`, `estimators.music` and `estimators.misfit`, which stay the reference
and run on other devices.
"""

import ctypes
from ctypes import c_double, c_int64, c_void_p
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from doamc.likelihood.addresses import address
from doamc.likelihood.kernels import Kernels, check_status


class _SpectrumStructure(ctypes.Structure):
    """`struct spectrum` of quadratic.h."""

    _fields_ = [
        *((name, c_int64) for name in ("n", "points", "circle", "newton")),
        *((name, c_void_p) for name in ("wave", "azimuth", "kernel")),
        *((name, c_double) for name in ("low", "high")),
    ]


@dataclass(frozen=True)
class SpectrumGrid:
    """An array and the grid of its spectrum.

    wave: (N, 2) 2 pi x and 2 pi y. azimuth: (G,) rad, evenly spaced; circle: whether it closes one. kernel:
    (N (N - 1), G), a* a' of the pairs above the diagonal, real and minus imaginary parts, twice. newton: steps. sector:
    its ends in rad.
    """

    wave: np.ndarray
    azimuth: np.ndarray
    kernel: np.ndarray
    circle: bool
    newton: int
    sector: tuple[float, float]

    @cached_property
    def structure(self) -> _SpectrumStructure:
        """What the library reads; its arrays live as long as this object. Raises KernelError where they do not fit."""
        n, points = len(self.wave), len(self.azimuth)
        return _SpectrumStructure(
            n, points, self.circle, self.newton, address(self.wave, "wave", (n, 2)),
            address(self.azimuth, "azimuth", (points,)), address(self.kernel, "kernel", (n * (n - 1), points)),
            *self.sector,
        )  # fmt: skip


def minima(kernels: Kernels, grid: SpectrumGrid, matrix: np.ndarray, count: int) -> np.ndarray:
    """Azimuths (B, count) in rad, ascending, of the lowest minima of a^H M a in the sector, M (B, N, N) Hermitian."""
    b, n, out = len(matrix), len(grid.wave), np.empty((len(matrix), count))
    m = np.ascontiguousarray(matrix)
    place = address(m, "matrix", (b, n, n), np.complex128)
    check_status(
        kernels.minima(ctypes.byref(grid.structure), c_int64(b), place, c_int64(count), c_void_p(out.ctypes.data))
    )
    return out


class Music(NamedTuple):
    """What MUSIC finds: azimuth (B, P) in rad, ascending, with standard deviation and power, and noise power (B,)."""

    azimuth: np.ndarray
    std: np.ndarray
    power: np.ndarray
    noise_power: np.ndarray


def music(
    kernels: Kernels,
    grid: SpectrumGrid,
    values: np.ndarray,
    vectors: np.ndarray,
    covariance: np.ndarray,
    n_sources: int,
    n_snapshots: int,
    noise_power: np.ndarray | None,
) -> Music:
    """MUSIC of eigenvalues (B, N), ascending, eigenvectors and covariances (B, N, N); noise_power (B,) where known.

    `estimators.subspace`, `estimators.powers` and `estimators.quadratic` have what it computes.
    """
    (b, n), p = values.shape, n_sources
    noise = np.full(b, np.nan) if noise_power is None else np.array(noise_power, np.float64)
    found = Music(np.empty((b, p)), np.empty((b, p)), np.empty((b, p)), noise)
    u, r = np.ascontiguousarray(vectors), np.ascontiguousarray(covariance)
    places = (
        address(values, "values", (b, len(grid.wave))), address(u, "vectors", (b, n, n), np.complex128),
        address(r, "covariance", (b, n, n), np.complex128),
    )  # fmt: skip
    written = (c_void_p(x.ctypes.data) for x in found)
    check_status(
        kernels.music(
            ctypes.byref(grid.structure), c_int64(b), c_int64(p), *places, c_double(n_snapshots), *written
        )
    )  # fmt: skip
    return found


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


def reported(
    kernels: Kernels,
    covariance: np.ndarray,
    wave: np.ndarray,
    azimuth: np.ndarray,
    coupling: np.ndarray,
    power: np.ndarray | None,
    noise_power: np.ndarray,
) -> tuple[np.ndarray, bool]:
    """What `residual` says of V = C A, and whether any coupling C (B, N, N) is other than I.

    wave: (N, 2) 2 pi x and 2 pi y. azimuth: (B, P) rad; sources without one are none. power: (B, P) of the sources, or
    None for the likeliest of any correlation.
    """
    (b, p), n, out, coupled = azimuth.shape, len(wave), np.empty(len(azimuth)), np.zeros(1, np.bool_)
    arrays = [np.ascontiguousarray(x) for x in (covariance, azimuth, coupling, noise_power)]
    r, az, c, noise = arrays
    gain = None if power is None else np.ascontiguousarray(power)
    check_status(
        kernels.reported(
            c_int64(b), c_int64(n), c_int64(p), address(r, "covariance", (b, n, n), np.complex128),
            address(wave, "wave", (n, 2)), address(az, "azimuth", (b, p)),
            address(c, "coupling", (b, n, n), np.complex128), None if gain is None else address(gain, "power", (b, p)),
            address(noise, "noise_power", (b,)), c_void_p(out.ctypes.data), c_void_p(coupled.ctypes.data),
        )
    )  # fmt: skip
    return out, bool(coupled[0])


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

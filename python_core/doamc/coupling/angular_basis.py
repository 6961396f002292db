"""Functions of direction about their means, f_j - m_j: what the coefficients of a series of couplings multiply.

f_j are the functions of `angular`, f_0 = 1, and m_j their means over the sector that waves come from, m_0 = 0 here: in
a narrow sector cos az is nearly constant, and with it alone a scene would tell but a sum of two coefficients.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from doamc.coupling.angular import angular_functions, angular_slopes, degrees, sphere_functions, sphere_slopes

POINTS = 64  #: of the quadrature over heights


@dataclass(frozen=True)
class AngularBasis:
    """middle: (J,), means m_j over the sector, m_0 = 1. on_sphere: whether directions have elevations."""

    middle: torch.Tensor
    on_sphere: bool = False

    @property
    def n_blocks(self) -> int:
        """Number J of functions of direction."""
        return len(self.middle)

    @property
    def order(self) -> int:
        """Highest degree of the functions."""
        return math.isqrt(self.n_blocks) - 1 if self.on_sphere else (self.n_blocks - 1) // 2

    @property
    def degree(self) -> torch.Tensor:
        """Degree l of each function, (J,)."""
        return torch.tensor([m + h for m, h in degrees(self.n_blocks, self.on_sphere)], dtype=torch.float64)

    @cached_property
    def offset(self) -> torch.Tensor:
        """What is taken from the functions, (J,): their means but for the first, which is constant."""
        return torch.cat([torch.zeros_like(self.middle[:1]), self.middle[1:]])

    def functions(self, azimuth: torch.Tensor, elevation: torch.Tensor | float = 0.0) -> torch.Tensor:
        """f_j - m_j at directions (...) in rad, (..., J), the first being 1."""
        if self.on_sphere:
            height = torch.as_tensor(elevation, dtype=azimuth.dtype, device=azimuth.device).sin().expand_as(azimuth)
            found = sphere_functions(azimuth, height, self.n_blocks)
        else:
            found = angular_functions(azimuth, self.n_blocks)
        return found.movedim(0, -1) - self.offset.to(azimuth.device)

    def slopes(self, azimuth: torch.Tensor, elevation: torch.Tensor | float = 0.0) -> tuple[torch.Tensor, ...]:
        """Derivatives (..., J) of the functions by azimuth and, on the sphere, by elevation, per rad."""
        if not self.on_sphere:
            return (angular_slopes(azimuth, self.n_blocks).movedim(0, -1),)
        up = torch.as_tensor(elevation, dtype=azimuth.dtype, device=azimuth.device).expand_as(azimuth)
        by_azimuth, by_height = sphere_slopes(azimuth, up.sin(), self.n_blocks)
        return by_azimuth.movedim(0, -1), (up.cos() * by_height).movedim(0, -1)


def basis_over(
    order: int, sector_rad: tuple[float, float], elevation_rad: tuple[float, float] | None = None
) -> AngularBasis:
    """The functions up to an order about their means over directions, uniform on the sphere.

    sector_rad: azimuths, and elevation_rad: elevations that directions come from; None for the horizon alone.
    """
    points, weights = (torch.from_numpy(v) for v in np.polynomial.legendre.leggauss(POINTS))
    low, high = sector_rad
    azimuth = 0.5 * (low + high) + 0.5 * (high - low) * points
    if elevation_rad is None:
        return AngularBasis(0.5 * angular_functions(azimuth, 2 * order + 1) @ weights)
    bottom, top = (math.sin(e) for e in elevation_rad)
    height = 0.5 * (bottom + top) + 0.5 * (top - bottom) * points
    azimuth, height = torch.meshgrid(azimuth, height, indexing="ij")
    mean = 0.25 * sphere_functions(azimuth, height, (order + 1) ** 2) @ weights @ weights
    return AngularBasis(mean, on_sphere=True)

"""Coupling that depends on direction, C(az, el) of [Luo-Fung] eq. (4): a Fourier series over a family of coefficients.

A mast or a roof scatters, and then the coupling that a wave meets depends on where it comes from. What the series is
stands in `directional_series`; here is its prior. The c_0k have that of the family; the c_jk of degree l = 1, 2, ...
are circular normal of deviation rms(c_0k) spread decay^(l - 1), so that of the parameters theta = [z, Re c_0, Im c_0]
the z are standard normal.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from doamc.coupling.angular_basis import basis_over
from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.directional_series import DirectionalSeries
from doamc.coupling.drawn import NORMAL_REACH
from doamc.coupling.family import CouplingFamily
from doamc.coupling.size import check_entries


@dataclass(frozen=True)
class DirectionalFamily(DirectionalSeries):
    """A series with its prior; a `CouplingFamily`."""

    narrow = False

    @property
    def name(self) -> str:
        """That of the base."""
        return self.base.name

    @property
    def n_coefficients(self) -> int:
        """Real ones, the z, and the complex ones of the base."""
        return self.n_normal + self.base.n_coefficients

    @property
    def n_flat(self) -> int:
        """Number of flat coordinates: z, then |c_0k|."""
        return self.n_normal + self.base.n_flat

    @property
    def n_wrapping(self) -> int:
        """Number of phases, of the c_0k."""
        return self.base.n_wrapping

    @property
    def phase_rad(self) -> float:
        """That of the base."""
        return self.base.phase_rad

    @property
    def outside_db(self) -> float:
        """That of the base."""
        return self.base.outside_db

    @cached_property
    def flat_range(self) -> torch.Tensor:
        """As wide as normal numbers come, then the ranges of |c_0k|, (n_flat, 2)."""
        reach = torch.tensor([-NORMAL_REACH, NORMAL_REACH], dtype=torch.float64)
        return torch.cat([reach.expand(self.n_normal, 2), self.base.flat_range])

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Flat coordinates, z and |c_0k|, (..., n_flat), and the phases (..., K) of the c_0k."""
        size, phase = self.base.coordinates(theta[..., self.n_normal :])
        return torch.cat([theta[..., : self.n_normal], size], -1), phase

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., 2 K J) of coordinates: undoes `coordinates`."""
        z, size = flat[..., : self.n_normal], flat[..., self.n_normal :]
        return torch.cat([z, self.base.from_coordinates(size, wrapping)], -1)

    def coefficients(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """z as complex numbers and c_0k, shaped like flat; the axis in which the shapes differ counts coordinates."""
        axis = next(i for i in range(flat.ndim) if flat.shape[i] != wrapping.shape[i])
        z, size = flat.split([self.n_normal, self.base.n_flat], axis)
        return torch.cat([z.to(torch.complex128), self.base.coefficients(size, wrapping)], axis)

    def parameters(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Parameters (..., 2 K J) of coefficients (..., K')."""
        z, own = coefficients[..., : self.n_normal], coefficients[..., self.n_normal :]
        return torch.cat([z.real, self.base.parameters(own)], -1)

    def project(self, coupling: torch.Tensor) -> torch.Tensor:
        """Parameters of the nearest member that is the same from everywhere, (..., N, N) -> (..., 2 K J)."""
        own = self.base.project(coupling)
        return torch.cat([own.new_zeros(*own.shape[:-1], self.n_normal), own], -1)

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> torch.Tensor:
        """Parameters drawn from the prior, (*shape, 2 K J)."""
        own = self.base.draw(shape, generator)
        return torch.cat([torch.randn(*shape, self.n_normal, dtype=torch.float64, generator=generator), own], -1)

    def log_prior(self, theta: torch.Tensor) -> torch.Tensor:
        """Log density of the prior up to a constant; -inf outside its support."""
        z, own = theta[..., : self.n_normal], theta[..., self.n_normal :]
        return self.base.log_prior(own) - 0.5 * z.square().sum(-1)

    @property
    def kinds(self) -> list[tuple[float, CouplingFamily, torch.Tensor]]:
        """The family itself: its prior is of one kind."""
        return [(0.0, self, torch.ones(self.n_parameters, dtype=torch.float64))]

    def moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The prior taken as normal: z is, and the base by its own moments."""
        mean, patterns, _ = self.base.moments()
        wide = torch.cat([self._normal_patterns, self._in_block(patterns, 0)])
        return self._in_block(mean[None], 0)[0], wide, self.projection

    def clipped(self, theta: torch.Tensor) -> torch.Tensor:
        """Parameters moved into the prior's ranges."""
        z, own = theta[..., : self.n_normal], theta[..., self.n_normal :]
        return torch.cat([z.clamp(-NORMAL_REACH, NORMAL_REACH), self.base.clipped(own)], -1)


def directional_family(
    base: CoefficientFamily,
    order: int,
    spread_db: float,
    decay: float,
    sector_rad: tuple[float, float],
    elevation_rad: tuple[float, float] | None = None,
) -> DirectionalFamily:
    """The family of a specification: a series of that order, of a prior as in the docstring of the module.

    spread_db: r.m.s. of a coefficient of the first degree over that of the mean, dB. sector_rad: azimuths, and
    elevation_rad: elevations that directions come from; None for the horizon alone.
    """
    angular = basis_over(order, sector_rad, elevation_rad)
    check_entries(base.n_elements, angular.n_blocks * base.n_parameters)
    size = 10 ** (spread_db / 20) * decay ** (angular.degree[1:] - 1) * math.sqrt(0.5)
    return DirectionalFamily(base, size[:, None] * base.mean_square.sqrt(), angular)

"""Coupling that depends on direction, C(az, el) of [Luo-Fung] eq. (4): a Fourier series over a family of coefficients.

A mast or a roof scatters, and then the coupling that a wave meets depends on where it comes from. The coefficients of
the family become series of the functions f_j of an `AngularBasis`, f_0 = 1, less their means m_j over the sector:

    v(az, el) = C(az, el) a(az, el),    C(az, el) = I + sum_k c_0k B_k + sum_j (f_j(az, el) - m_j) sum_k c_jk B_k

so that C_0 = I + sum_k c_0k B_k is the mean of C over the sector. All of it is linear in the c_jk: E a_ext, as of
drawn antennas.
The c_0k have the prior of the family; the c_jk of degree l = 1, 2, ... are circular normal of deviation
rms(c_0k) spread decay^(l - 1). Parameters are theta = [z, Re c_0, Im c_0], z the real and imaginary parts of the c_jk
over their deviations, standard normal.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import torch

from doamc.arrays.steering import steering
from doamc.coupling.angular_basis import AngularBasis, basis_over
from doamc.coupling.coefficients import CoefficientFamily
from doamc.coupling.drawn import NORMAL_REACH
from doamc.coupling.family import CouplingFamily
from doamc.coupling.size import check_entries

LEAST_DEVIATION = 1e-9  #: of a coefficient that is always zero


@dataclass(frozen=True)
class DirectionalFamily:
    """A Fourier series over a family; a `CouplingFamily`.

    base: the family of C_0. deviation: (J - 1, K), r.m.s. of the real part, and of the imaginary part, of each c_jk.
    angular: the functions.
    """

    base: CoefficientFamily
    deviation: torch.Tensor
    angular: AngularBasis

    narrow = False

    @property
    def name(self) -> str:
        """That of the base."""
        return self.base.name

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.base.n_elements

    @property
    def n_blocks(self) -> int:
        """Number J of functions of direction."""
        return self.angular.n_blocks

    @property
    def n_normal(self) -> int:
        """Number of standard normal coordinates, 2 K (J - 1): they come first."""
        return 2 * self.deviation.numel()

    @property
    def n_parameters(self) -> int:
        """Number of real parameters, 2 K J."""
        return self.n_normal + self.base.n_parameters

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
    def hermitian(self) -> bool:
        """Whether C is Hermitian in every direction."""
        return self.base.hermitian

    @property
    def outside_db(self) -> float:
        """That of the base."""
        return self.base.outside_db

    @cached_property
    def flat_range(self) -> torch.Tensor:
        """As wide as normal numbers come, then the ranges of |c_0k|, (n_flat, 2)."""
        reach = torch.tensor([-NORMAL_REACH, NORMAL_REACH], dtype=torch.float64)
        return torch.cat([reach.expand(self.n_normal, 2), self.base.flat_range])

    @cached_property
    def mean(self) -> torch.Tensor:
        """E of parameters zero, [I, 0, ...], (N, J N)."""
        return self._in_block(self.base.centre[None], 0)[0]

    @cached_property
    def patterns(self) -> torch.Tensor:
        """What z and the c_0k multiply in E, (K', N, J N)."""
        return torch.cat([self._normal_patterns, self._in_block(self.base.patterns, 0)])

    @cached_property
    def adjoints(self) -> torch.Tensor:
        """What the conjugate c_0k multiply where the base is Hermitian, (K or 0, N, J N)."""
        return self._in_block(self.base.adjoints, 0)

    @cached_property
    def extended_basis(self) -> torch.Tensor:
        """Derivatives of E by the parameters, (2 K J, N, J N)."""
        return torch.cat([self._normal_patterns, self._in_block(self.base.basis, 0)])

    @property
    def extended(self) -> tuple[torch.Tensor, torch.Tensor]:
        """E of parameters zero (N, J N), and its derivatives by the parameters (2 K J, N, J N)."""
        return self.mean, self.extended_basis

    @cached_property
    def projection(self) -> torch.Tensor:
        """W of C = E W, (J N, N): the mean of C over the sector."""
        eye = torch.eye(self.n_elements, dtype=torch.complex128)
        return torch.cat([m * eye for m in self.angular.middle])

    @property
    def centre(self) -> torch.Tensor:
        """C of parameters zero: the identity."""
        return self.base.centre

    @cached_property
    def basis(self) -> torch.Tensor:
        """Derivatives of the mean C over the sector by the parameters, (2 K J, N, N)."""
        return self.extended_basis @ self.projection

    @property
    def linear_basis(self) -> torch.Tensor:
        """That of the base, whose span holds C of every direction."""
        return self.base.linear_basis

    @cached_property
    def _normal_patterns(self) -> torch.Tensor:
        out = []
        for j, size in enumerate(self.deviation.repeat(1, 2)[:, :, None, None]):  # of real and of imaginary parts
            own = size * self.base.basis
            out.append(self._in_block(own, j + 1) - self._in_block(self.angular.middle[j + 1] * own, 0))
        return torch.cat(out)

    def _in_block(self, matrices: torch.Tensor, block: int) -> torch.Tensor:
        """Matrices (K, N, N) as one block of E, (K, N, J N)."""
        n = self.n_elements
        return torch.nn.functional.pad(matrices, (block * n, (self.n_blocks - 1 - block) * n))

    def response_matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """E (N, J N) of parameters (2 K J,): what multiplies steering vectors extended by the f_j themselves."""
        return self.mean + torch.einsum("k,knm->nm", theta.to(self.mean.dtype), self.extended_basis)

    def rows(self, theta: torch.Tensor) -> torch.Tensor:
        """Parameters of the base in every block, (..., 2 K J) -> (..., J, 2 K)."""
        z, own = theta[..., : self.n_normal], theta[..., self.n_normal :]
        size = self.deviation.to(theta.device).repeat(1, 2)
        return torch.cat([own[..., None, :], size * z.unflatten(-1, size.shape)], -2)

    def from_rows(self, rows: torch.Tensor) -> torch.Tensor:
        """Undoes `rows`."""
        size = self.deviation.to(rows.device).repeat(1, 2).clamp_min(LEAST_DEVIATION)
        return torch.cat([(rows[..., 1:, :] / size).flatten(-2), rows[..., 0, :]], -1)

    def matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """C_0, the mean of C over the sector, of parameters (..., 2 K J): (..., N, N)."""
        return self.base.matrix(theta[..., self.n_normal :])

    def matrices(
        self,
        theta: torch.Tensor,  # shape: (..., 2 K J)
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """C(az, el) of every source, (..., P, N, N)."""
        return self.base.matrix(self.angular.functions(azimuth, elevation) @ self.rows(theta))

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., 2 K J)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """C(az_p, el_p) a(az_p, el_p) of each source, (..., N, P)."""
        a = steering(positions, azimuth, elevation).to(torch.complex128)
        return torch.einsum("...pij,...jp->...ip", self.matrices(theta, azimuth, elevation), a)

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

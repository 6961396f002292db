"""A Fourier series over a family of coupling matrices as a linear map: C of every direction, and its patterns.

The coefficients of the family become series of the functions f_j of an `AngularBasis`, f_0 = 1, less their means m_j
over the sector:

    v(az, el) = C(az, el) a(az, el),    C(az, el) = I + sum_k c_0k B_k + sum_j (f_j(az, el) - m_j) sum_k c_jk B_k

so that C_0 = I + sum_k c_0k B_k is the mean of C over the sector. All of it is linear in the c_jk: E a_ext, as of
drawn antennas. Parameters are theta = [z, Re c_0, Im c_0], z the real and imaginary parts of the c_jk over their
deviations.
"""

from dataclasses import dataclass
from functools import cached_property

import torch

from doamc.arrays.steering import steering
from doamc.coupling.angular_basis import AngularBasis
from doamc.coupling.coefficients import CoefficientFamily

LEAST_DEVIATION = 1e-9  #: of a coefficient that is always zero


@dataclass(frozen=True)
class DirectionalSeries:
    """A series over a family.

    base: the family of C_0. deviation: (J - 1, K), r.m.s. of the real part, and of the imaginary part, of each c_jk.
    angular: the functions.
    """

    base: CoefficientFamily
    deviation: torch.Tensor
    angular: AngularBasis

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
    def hermitian(self) -> bool:
        """Whether C is Hermitian in every direction."""
        return self.base.hermitian

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

"""Linear families of coupling matrices: C = I + sum_k theta_k E_k with real parameters theta.

Real antennas are reciprocal, so their C is complex-symmetric (C^T = C), not Hermitian; the Hermitian band is
the simulation model of [Luo-Fung] and is kept for comparison. Every family is written with *real* parameters
so that one Fisher information and one optimiser serve all: theta = [Re c_1..c_K, Im c_1..c_K], where
c_k multiplies a 0/1 pattern B_k (``symmetric``: c B; ``hermitian``: c B + conj(c) B^T with B upper triangular).
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from doamc.arrays.steering import steering
from doamc.coupling.family import CouplingFamily

#: largest coefficient of what is fitted without a prior; real elements stay well below
LARGEST_COEFFICIENT = 0.6
MOMENT_DRAWS = 20000  #: draws that mean and covariance of the prior are taken from


@dataclass(frozen=True)
class CoefficientFamily:
    """A family of complex coefficients in ranges of magnitude and phase; a `CouplingFamily`.

    patterns: (K, N, N) complex, the B_k. hermitian: whether conj(c_k) B_k^T is added.
    magnitude: (K, 2) range of |c_k|, uniform. phase_rad: arg c_k is uniform in +-phase_rad.
    """

    name: str
    patterns: torch.Tensor
    magnitude: torch.Tensor
    phase_rad: float = math.pi
    hermitian: bool = False

    n_blocks = 1
    n_normal = 0
    narrow = False
    outside_db = -20.0  #: no two real elements are alike, and the ends of a line see other neighbours

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.patterns.shape[-1]

    @property
    def n_coefficients(self) -> int:
        """Number of complex coefficients K; there are 2 K real parameters."""
        return self.patterns.shape[0]

    @property
    def n_parameters(self) -> int:
        """Number of real parameters 2 K."""
        return 2 * self.n_coefficients

    @property
    def n_flat(self) -> int:
        """Number of flat coordinates, the |c_k|."""
        return self.n_coefficients

    @property
    def n_wrapping(self) -> int:
        """Number of wrapping coordinates, the arg c_k."""
        return self.n_coefficients

    @property
    def flat_range(self) -> torch.Tensor:
        """Range of every |c_k|, (K, 2)."""
        return self.magnitude

    @property
    def centre(self) -> torch.Tensor:
        """C of parameters zero: the identity, (N, N)."""
        return torch.eye(self.n_elements, dtype=self.patterns.dtype, device=self.patterns.device)

    @property
    def mean(self) -> torch.Tensor:
        """The centre again, since C is all there is to the response."""
        return self.centre

    @property
    def basis(self) -> torch.Tensor:
        """Derivatives of C by the real parameters, (2 K, N, N) complex."""
        b = self.patterns
        if self.hermitian:
            return torch.cat([b + b.mH, 1j * (b - b.mH)])
        return torch.cat([b, 1j * b])

    @property
    def adjoints(self) -> torch.Tensor:
        """The B_k^T of a Hermitian family, (K, N, N); none otherwise."""
        return self.patterns.mH if self.hermitian else self.patterns[:0]

    @property
    def linear_basis(self) -> torch.Tensor:
        """Identity and patterns whose *complex* span holds the family, (1 + K', N, N); what RARE needs."""
        eye = torch.eye(self.n_elements, dtype=self.patterns.dtype, device=self.patterns.device)[None]
        return torch.cat([eye, self.patterns] + ([self.patterns.mH] if self.hermitian else []))

    def matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """C of the real parameters (..., 2 K): (..., N, N)."""
        c = self.complex(theta)
        patterns = self.patterns.to(c)
        part = (c @ patterns.flatten(1)).unflatten(-1, patterns.shape[1:])
        eye = torch.eye(self.n_elements, dtype=c.dtype, device=c.device)
        return eye + part + part.mH if self.hermitian else eye + part

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., 2 K)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """C a(az, el) of each source, (..., N, P)."""
        return self.matrix(theta) @ steering(positions, azimuth, elevation).to(torch.complex128)

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Parameters (..., 2 K) as coordinates in which the prior is flat: |c_k| and arg c_k, each (..., K)."""
        c = self.complex(theta)
        return c.abs(), c.angle()

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., 2 K) of |c_k| and arg c_k, each (..., K)."""
        return self.parameters(torch.polar(flat.contiguous(), wrapping.contiguous()))

    def coefficients(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """c_k of |c_k| and arg c_k, shaped like both."""
        return torch.polar(flat, wrapping)

    def complex(self, theta: torch.Tensor) -> torch.Tensor:
        """Complex coefficients (..., K) of the real parameters (..., 2 K)."""
        k = self.n_coefficients
        return torch.complex(theta[..., :k], theta[..., k:])

    def parameters(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Real parameters (..., 2 K) of complex coefficients (..., K)."""
        return torch.cat([coefficients.real, coefficients.imag], -1)

    def project(self, coupling: torch.Tensor) -> torch.Tensor:
        """Parameters of the nearest member (Frobenius) after scaling to mean diagonal 1; (..., N, N) -> (..., 2 K)."""
        scale = coupling.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
        rest = coupling / scale - torch.eye(self.n_elements, dtype=coupling.dtype, device=coupling.device)
        e = torch.view_as_real(self.basis.to(coupling.dtype).contiguous()).flatten(1)
        r = torch.view_as_real(rest.contiguous()).flatten(-3)
        return torch.linalg.solve(e @ e.T, (r @ e.T)[..., None])[..., 0]

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> torch.Tensor:
        """Parameters drawn from the prior, (*shape, 2 K)."""
        u = torch.rand(2, *shape, self.n_coefficients, dtype=torch.float64, generator=generator)
        low, high = self.magnitude.unbind(-1)
        return self.parameters(torch.polar(low + (high - low) * u[0], self.phase_rad * (2 * u[1] - 1)))

    def log_prior(self, theta: torch.Tensor) -> torch.Tensor:
        """Log density of the prior up to a constant; -inf outside its support. Uniform |c| is 1/|c| in the plane."""
        c = self.complex(theta)
        low, high = self.magnitude.to(c.device).unbind(-1)
        size = c.abs()
        inside = (size >= low) & (size <= high) & (c.angle().abs() <= self.phase_rad + 1e-12)
        return torch.where(inside.all(-1), -size.clamp_min(1e-12).log().sum(-1), -math.inf)

    @property
    def kinds(self) -> list[tuple[float, CouplingFamily, torch.Tensor]]:
        """The family itself: its prior is of one kind."""
        return [(0.0, self, torch.ones(self.n_parameters, dtype=torch.float64))]

    @cached_property
    def mean_square(self) -> torch.Tensor:
        """E|c_k|^2, (K,): of a magnitude uniform in [low, high]."""
        low, high = self.magnitude.unbind(1)
        return (low * low + low * high + high * high) / 3

    @cached_property
    def span_mean_square(self) -> torch.Tensor:
        """Mean squares of the factors of `linear_basis` in a member, (1 + K',)."""
        square = self.mean_square
        return torch.cat([torch.ones(1, dtype=square.dtype), square] + ([square] if self.hermitian else []))

    def moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The prior taken as normal, by the mean and covariance of draws from it; W is the identity."""
        theta = self.draw((MOMENT_DRAWS,), torch.Generator().manual_seed(0))
        root = torch.linalg.cholesky(theta.T.cov() + 1e-12 * torch.eye(theta.shape[1], dtype=theta.dtype))
        patterns = torch.einsum("kj,knm->jnm", root.to(torch.complex128), self.basis)
        return self.matrix(theta.mean(0)), patterns, torch.eye(self.n_elements, dtype=torch.complex128)

    def clipped(self, theta: torch.Tensor) -> torch.Tensor:
        """Parameters (..., 2 K) with magnitudes and phases moved into the prior's ranges."""
        c = self.complex(theta)
        low, high = self.magnitude.to(theta.device).unbind(1)
        size = torch.maximum(torch.minimum(c.abs(), high), low)
        return self.parameters(torch.polar(size, c.angle().clamp(-self.phase_rad, self.phase_rad)))

    def from_span(self, factors: torch.Tensor, largest: float = LARGEST_COEFFICIENT) -> torch.Tensor:
        """Parameters (B, 2 K) of factors of `linear_basis`, (B, 1 + K') of any scale.

        Coefficients beyond `largest` are cut to it.
        """
        f, k = factors.resolve_conj().numpy(), self.n_coefficients
        c = f[:, 1:] / np.where(np.abs(f[:, :1]) > 1e-9, f[:, :1], 1e-9)
        if self.hermitian:  # c_k stands above the diagonal, conj(c_k) below
            c = 0.5 * (c[:, :k] + c[:, k:].conj())
        c *= largest / np.maximum(np.abs(c), largest)
        return torch.from_numpy(np.concatenate([c.real, c.imag], 1))

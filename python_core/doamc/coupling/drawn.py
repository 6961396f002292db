"""A family of coupling matrices learned from draws of antenna physics: a normal prior around a mean.

    v(az) = E(z) a_ext(az),    E(z) = E_0 + sum_k z_k E_k,    z ~ sum_m w_m N(0, diag(s_m^2)), z real
    a_ext(az) = [a; cos az a; sin az a; cos 2az a; sin 2az a; ...], a the nominal steering vector

The first block of E acts as a plain coupling matrix; the others let the response depend on direction: position errors
to first order, element patterns, a mast ([Luo-Fung] eq. (4)). The coupling matrix that is reported is the
least-squares fit C = E W of v(az) by C a(az) over the sector, normalised to mean diagonal 1.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch

from doamc.coupling.angular import extended_steering
from doamc.coupling.family import CouplingFamily

NORMAL_REACH = 8.0  #: half-width of the range of a standard normal coordinate


@dataclass(frozen=True)
class DrawnFamily:
    """Mean and principal patterns of drawn antennas; a `CouplingFamily`.

    mean: (N, J N) complex. patterns: (K, N, J N) complex, each one standard deviation of the prior.
    projection: (J N, N) complex, the W of C = E W. J is odd. weights (M,), scales (M, K): shares of kinds of builders,
    careful and rough, and the standard deviations of z in each; over all kinds z has unit variance. None: one kind.
    """

    mean: torch.Tensor
    patterns: torch.Tensor
    projection: torch.Tensor
    name: str = "drawn"
    weights: torch.Tensor | None = None
    scales: torch.Tensor | None = None

    hermitian = False
    n_wrapping = 0
    phase_rad = math.pi
    narrow = True
    outside_db = -25.0  #: the draws are of antennas that are not alike: less is left out than by coefficients in ranges

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.mean.shape[0]

    @property
    def n_parameters(self) -> int:
        """Number of real parameters K."""
        return self.patterns.shape[0]

    @property
    def n_coefficients(self) -> int:
        """Number of coefficients, which are real and the parameters themselves."""
        return self.n_parameters

    @property
    def n_flat(self) -> int:
        """Number of flat coordinates: the parameters themselves."""
        return self.n_parameters

    @property
    def n_normal(self) -> int:
        """All of them are standard normal beforehand, in each of `kinds`."""
        return self.n_parameters

    @property
    def n_blocks(self) -> int:
        """Number J of angular functions."""
        return self.mean.shape[1] // self.mean.shape[0]

    @property
    def flat_range(self) -> torch.Tensor:
        """As wide as normal numbers ever come, (K, 2)."""
        return torch.tensor([-NORMAL_REACH, NORMAL_REACH], dtype=torch.float64).expand(self.n_parameters, 2)

    @property
    def kinds(self) -> list[tuple[float, CouplingFamily, torch.Tensor]]:
        """Log share and family of each kind, whose parameters z / s_m are standard normal, and s_m."""
        if self.weights is None or self.scales is None:
            return [(0.0, self, torch.ones(self.n_parameters, dtype=torch.float64))]
        scaled = self.scales[:, :, None, None] * self.patterns
        parts = [replace(self, patterns=e, weights=None, scales=None) for e in scaled]
        return list(zip(self.weights.log().tolist(), parts, self.scales, strict=True))

    @cached_property
    def centre(self) -> torch.Tensor:
        """Coupling matrix of the prior's mean, (N, N)."""
        return self.mean @ self.projection

    @cached_property
    def basis(self) -> torch.Tensor:
        """Derivatives of C by the parameters, (K, N, N) complex."""
        return self.patterns @ self.projection

    @property
    def adjoints(self) -> torch.Tensor:
        """None: coefficients are real."""
        return self.patterns[:0]

    @property
    def linear_basis(self) -> torch.Tensor:
        """Matrices whose complex span holds the family, (1 + K, N, N)."""
        return torch.cat([self.centre[None], self.basis])

    def matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """C of the parameters (..., K): (..., N, N)."""
        basis = self.basis.to(theta.device)
        return self.centre.to(basis) + torch.einsum("...k,kij->...ij", theta.to(basis.dtype), basis)

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., K)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
        elevation: torch.Tensor | float = 0.0,  # shape: (..., P) or scalar, rad
    ) -> torch.Tensor:
        """Received response v(az, el) of each source, (..., N, P); drawn antennas are those of the horizon."""
        patterns = self.patterns.to(theta.device)
        e = self.mean.to(patterns) + torch.einsum("...k,kij->...ij", theta.to(patterns.dtype), patterns)
        return e @ extended_steering(positions, azimuth, self.n_blocks, elevation)

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Parameters (..., K) as the flat and the wrapping coordinates of a scene: (..., K) and (..., 0)."""
        return theta, theta[..., :0]

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of coordinates of a scene."""
        return flat

    def coefficients(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """The parameters themselves, as complex numbers."""
        return flat.to(torch.complex128)

    def parameters(self, coefficients: torch.Tensor) -> torch.Tensor:
        """Real parts of coefficients (..., K)."""
        return coefficients.real

    def moments(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Mean, patterns and projection: z has unit covariance over all kinds together."""
        return self.mean, self.patterns, self.projection

    def project(self, coupling: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of the member nearest to matrices (..., N, N) scaled to mean diagonal 1.

        A hundredth of the prior's precision is added, since the patterns of a prior need not be independent as seen
        through the projection.
        """
        scale = coupling.diagonal(dim1=-2, dim2=-1).mean(-1)[..., None, None]
        e = torch.view_as_real(self.basis.contiguous()).flatten(1)
        r = torch.view_as_real((coupling / scale - self.centre).contiguous()).flatten(-3)
        gram = e @ e.T
        gram = gram + 1e-2 * gram.diagonal().min() * torch.eye(len(e), dtype=e.dtype)
        return torch.linalg.solve(gram, (r @ e.T)[..., None])[..., 0]

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> torch.Tensor:
        """Parameters drawn from the prior, (*shape, K)."""
        z = torch.randn(*shape, self.n_parameters, dtype=torch.float64, generator=generator)
        if self.weights is None or self.scales is None:
            return z
        u = torch.rand(shape, dtype=torch.float64, generator=generator)  # a tuple, since it may be empty
        return z * self.scales[torch.bucketize(u, self.weights.cumsum(0)[:-1])]

    def log_prior(self, theta: torch.Tensor) -> torch.Tensor:
        """Log density of the prior up to a constant."""
        if self.weights is None or self.scales is None:
            return -0.5 * theta.square().sum(-1)
        z = theta[..., None, :] / self.scales
        return torch.logsumexp(self.weights.log() - self.scales.log().sum(-1) - 0.5 * z.square().sum(-1), -1)

"""Linear families of coupling matrices: C = I + sum_k theta_k E_k with real parameters theta.

Real antennas are reciprocal, so their C is complex-symmetric (C^T = C), not Hermitian; the Hermitian band is
the source paper's simulation model and is kept for comparison. Every family is written with *real* parameters
so that one Fisher information and one optimiser serve all: theta = [Re c_1..c_K, Im c_1..c_K], where
c_k multiplies a 0/1 pattern B_k (``symmetric``: c B; ``hermitian``: c B + conj(c) B^T with B upper triangular).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from doamc.arrays.steering import steering
from doamc.coupling.size import check_entries
from doamc.errors import SpecificationError
from doamc.text import shown


@dataclass(frozen=True)
class CouplingFamily:
    """A linear family of coupling matrices with its prior.

    patterns: (K, N, N) complex, the B_k. hermitian: whether conj(c_k) B_k^T is added.
    magnitude: (K, 2) range of |c_k|, uniform. phase_rad: arg c_k is uniform in +-phase_rad.
    """

    name: str
    patterns: torch.Tensor
    magnitude: torch.Tensor
    phase_rad: float = math.pi
    hermitian: bool = False

    normal = False  #: the prior over parameters is not a normal one

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
    def centre(self) -> torch.Tensor:
        """C of parameters zero: the identity, (N, N)."""
        return torch.eye(self.n_elements, dtype=self.patterns.dtype, device=self.patterns.device)

    @property
    def basis(self) -> torch.Tensor:
        """Derivatives of C by the real parameters, (2 K, N, N) complex."""
        b = self.patterns
        if self.hermitian:
            return torch.cat([b + b.mH, 1j * (b - b.mH)])
        return torch.cat([b, 1j * b])

    @property
    def linear_basis(self) -> torch.Tensor:
        """Identity and patterns whose *complex* span holds the family, (1 + K', N, N); what RARE needs."""
        eye = torch.eye(self.n_elements, dtype=self.patterns.dtype, device=self.patterns.device)[None]
        return torch.cat([eye, self.patterns] + ([self.patterns.mH] if self.hermitian else []))

    def matrix(self, theta: torch.Tensor) -> torch.Tensor:
        """C of the real parameters (..., 2 K): (..., N, N)."""
        c = self.complex(theta)
        part = torch.einsum("...k,kij->...ij", c, self.patterns.to(c))
        eye = torch.eye(self.n_elements, dtype=c.dtype, device=c.device)
        return eye + part + part.mH if self.hermitian else eye + part

    def response(
        self,
        theta: torch.Tensor,  # shape: (..., 2 K)
        positions: torch.Tensor,  # shape: (N, 3), wavelengths
        azimuth: torch.Tensor,  # shape: (..., P), rad
    ) -> torch.Tensor:
        """C a(az) of each source, (..., N, P)."""
        return self.matrix(theta) @ steering(positions, azimuth).to(torch.complex128)

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Parameters (..., 2 K) as coordinates in which the prior is flat: |c_k| and arg c_k, each (..., K)."""
        c = self.complex(theta)
        return c.abs(), c.angle()

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., 2 K) of |c_k| and arg c_k, each (..., K)."""
        return self.parameters(torch.polar(flat.contiguous(), wrapping.contiguous()))

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


def _toeplitz_patterns(n: int, k: int, symmetric: bool) -> torch.Tensor:
    lag = torch.arange(n)[None, :] - torch.arange(n)[:, None]
    lag = lag.abs() if symmetric else lag
    return torch.stack([(lag == j) for j in range(1, k + 1)]).to(torch.complex128)


def _circulant_patterns(n: int, k: int) -> torch.Tensor:
    lag = (torch.arange(n)[None, :] - torch.arange(n)[:, None]) % n
    return torch.stack([(lag == j) | (lag == n - j) for j in range(1, k + 1)]).to(torch.complex128)


def _reciprocal_patterns(n: int, k: int) -> torch.Tensor:
    """All pairs i < j up to distance k, and N - 1 diagonal differences that keep the mean diagonal at 1."""
    out = []
    for i in range(n):
        for j in range(i + 1, min(n, i + k + 1)):
            e = torch.zeros(n, n, dtype=torch.complex128)
            e[i, j] = e[j, i] = 1
            out.append(e)
    for i in range(n - 1):
        e = torch.zeros(n, n, dtype=torch.complex128)
        e[i, i], e[n - 1, n - 1] = 1, -1
        out.append(e)
    return torch.stack(out)


#: name -> (number of elements, bands) -> patterns
FAMILIES: dict[str, Callable[[int, int], torch.Tensor]] = {
    "symmetric-toeplitz": lambda n, k: _toeplitz_patterns(n, k, True),
    "hermitian-toeplitz": lambda n, k: _toeplitz_patterns(n, k, False),
    "circulant": _circulant_patterns,
    "reciprocal": _reciprocal_patterns,
}


def make_family(
    name: str, n_elements: int, magnitude: list[list[float]], phase_deg: float = 180.0, diagonal: float = 0.1
) -> CouplingFamily:
    """Family of a specification.

    name: one of `FAMILIES`. magnitude: [low, high] of |c_k| for lag k = 1..bands. phase_deg: half-width of the phase.
    diagonal: for ``reciprocal`` only, the largest deviation of a diagonal entry.
    Raises SpecificationError on an unknown name, ranges that do not fit, or more coefficients than memory should hold.
    """
    if name not in FAMILIES:
        raise SpecificationError(f"coupling family must be one of {', '.join(FAMILIES)}, found {shown(name)}")
    bands = len(magnitude)
    limit = n_elements // 2 if name == "circulant" else n_elements - 1
    if not 1 <= bands <= limit:
        raise SpecificationError(f"{name} on {n_elements} elements takes 1 to {limit} magnitude ranges, found {bands}")
    if any(len(r) != 2 or not 0 <= r[0] <= r[1] for r in magnitude):
        raise SpecificationError(f"magnitude ranges must be [low, high], 0 <= low <= high, found {shown(magnitude)}")
    coefficients = bands
    if name == "reciprocal":
        coefficients = sum(min(bands, n_elements - 1 - i) for i in range(n_elements)) + n_elements - 1
    check_entries(n_elements, 2 * coefficients)
    patterns = FAMILIES[name](n_elements, bands)
    ranges = torch.as_tensor(magnitude, dtype=torch.float64)
    if name == "reciprocal":
        lags = [j - i for i in range(n_elements) for j in range(i + 1, min(n_elements, i + bands + 1))]
        own = torch.tensor([[0.0, diagonal]] * (n_elements - 1), dtype=torch.float64)
        ranges = torch.cat([ranges[torch.tensor(lags) - 1], own])
    return CouplingFamily(name, patterns, ranges, math.radians(phase_deg), name == "hermitian-toeplitz")

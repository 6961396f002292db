"""A family of coupling matrices learned from draws of antenna physics: a normal prior around a mean.

    v(az) = E(z) a_ext(az),    E(z) = E_0 + sum_k z_k E_k,    z ~ sum_m w_m N(0, diag(s_m^2)), z real
    a_ext(az) = [a; cos az a; sin az a; cos 2az a; sin 2az a; ...], a the nominal steering vector

The first block of E acts as a plain coupling matrix; the others let the response depend on direction: position errors
to first order, element patterns, a mast (eq. (4) of the source paper). The coupling matrix that is reported is the
least-squares fit C = E W of v(az) by C a(az) over the sector, normalised to mean diagonal 1.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from doamc.arrays.steering import steering
from doamc.coupling.interpolation import interpolation_weights
from doamc.coupling.size import check_entries
from doamc.errors import SpecificationError
from doamc.files.tensor_files import read_tensors
from doamc.text import shown

LARGEST_ENTRY = 1e6  #: of mean, patterns and projection, and of deviations and their inverses; near 1 where made


@dataclass(frozen=True)
class DrawnFamily:
    """Mean and principal patterns of drawn antennas.

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
    normal = True  #: the prior over parameters is standard normal, in each of `kinds`

    @property
    def n_elements(self) -> int:
        """Number of antenna elements N."""
        return self.mean.shape[0]

    @property
    def n_parameters(self) -> int:
        """Number of real parameters K."""
        return self.patterns.shape[0]

    @property
    def n_blocks(self) -> int:
        """Number J of angular functions."""
        return self.mean.shape[1] // self.mean.shape[0]

    @property
    def kinds(self) -> list[tuple[float, "DrawnFamily"]]:
        """Log share and family of each kind, with parameters z / s_m that are standard normal."""
        if self.weights is None or self.scales is None:
            return [(0.0, self)]
        scaled = self.scales[:, :, None, None] * self.patterns
        parts = [replace(self, patterns=e, weights=None, scales=None) for e in scaled]
        return list(zip(self.weights.log().tolist(), parts, strict=True))

    @cached_property
    def centre(self) -> torch.Tensor:
        """Coupling matrix of the prior's mean, (N, N)."""
        return self.mean @ self.projection

    @cached_property
    def basis(self) -> torch.Tensor:
        """Derivatives of C by the parameters, (K, N, N) complex."""
        return self.patterns @ self.projection

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
    ) -> torch.Tensor:
        """Received response v(az) of each source, (..., N, P)."""
        patterns = self.patterns.to(theta.device)
        e = self.mean.to(patterns) + torch.einsum("...k,kij->...ij", theta.to(patterns.dtype), patterns)
        return e @ extended_steering(positions, azimuth, self.n_blocks)

    def coordinates(self, theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Parameters (..., K) as the flat and the wrapping coordinates of a chart: (..., K) and (..., 0)."""
        return theta, theta[..., :0]

    def from_coordinates(self, flat: torch.Tensor, wrapping: torch.Tensor) -> torch.Tensor:
        """Parameters (..., K) of a chart's coordinates."""
        return flat

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
        u = torch.rand(shape, dtype=torch.float64, generator=generator)
        return z * self.scales[torch.bucketize(u, self.weights.cumsum(0)[:-1])]

    def log_prior(self, theta: torch.Tensor) -> torch.Tensor:
        """Log density of the prior up to a constant."""
        if self.weights is None or self.scales is None:
            return -0.5 * theta.square().sum(-1)
        z = theta[..., None, :] / self.scales
        return torch.logsumexp(self.weights.log() - self.scales.log().sum(-1) - 0.5 * z.square().sum(-1), -1)


def angular_functions(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """1, cos az, sin az, cos 2az, ...: azimuth (...) -> (J, ...)."""
    out = [torch.ones_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [(h * azimuth).cos(), (h * azimuth).sin()]
    return torch.stack(out)


def angular_slopes(azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """Derivatives of the angular functions by azimuth: (...) -> (J, ...)."""
    out = [torch.zeros_like(azimuth)]
    for h in range(1, (n_blocks + 1) // 2):
        out += [-h * (h * azimuth).sin(), h * (h * azimuth).cos()]
    return torch.stack(out)


def extended_steering(positions: torch.Tensor, azimuth: torch.Tensor, n_blocks: int) -> torch.Tensor:
    """a_ext(az): azimuth (..., P) -> (..., J N, P)."""
    a = steering(positions, azimuth).to(torch.complex128)
    return torch.cat([a * g[..., None, :] for g in angular_functions(azimuth, n_blocks)], -2)


def load_drawn_family(path: str | Path, frequency: float = 1.0) -> DrawnFamily:
    """Family of a prior file: safetensors with mean, patterns and projection, real and imaginary part last.

    frequency: relative to that of design. A file with ``frequency`` (F,) holds one of each tensor a node, and its
    family is interpolated; z means the same array at every frequency. Raises SpecificationError that names the file
    and what is wrong with it, or that it does not hold for that frequency.
    """
    what = f"{path}: expected a prior file with mean, patterns and projection; doamc antenna writes one"
    tensors = {k: v.double() for k, v in read_tensors(path, SpecificationError, what)[0].items()}
    parts = [tensors[k] for k in ("mean", "patterns", "projection") if k in tensors]
    nodes = tensors.get("frequency", torch.ones(1, dtype=torch.float64)).flatten().numpy()
    weights, scales = tensors.get("weights"), tensors.get("scales")
    shapes = ", ".join(shown(tuple(v.shape)) for v in parts)
    if len(parts) < 3 or any(v.ndim == 0 or v.shape[-1] != 2 for v in parts):
        raise SpecificationError(f"{what}, real and imaginary part last; found {shapes or 'none'}")
    mean, patterns, projection = map(torch.view_as_complex, parts)
    many = len(nodes) > 1
    axes = [v.ndim - 1 - many for v in parts]
    ascending = len(nodes) > 0 and bool((np.diff(nodes) > 0).all())
    if axes != [2, 3, 2] or not ascending or (many and any(len(v) != len(nodes) for v in parts)):
        raise SpecificationError(
            f"{path}: expected mean (N, J N), patterns (K, N, J N), projection (J N, N), each of all frequencies where "
            f"there are several, in ascending order; found {shapes} and {len(nodes)} frequencies"
        )
    if not all(v.numel() and v.abs().max() <= LARGEST_ENTRY for v in parts):
        raise SpecificationError(f"{path}: expected numbers up to {LARGEST_ENTRY:g}, found none, or larger ones")
    low, high = nodes.min(), nodes.max()
    if not low - 1e-9 <= frequency <= high + 1e-9:
        raise SpecificationError(
            f"{path}: holds for {low:g} to {high:g} times the frequency of design, found {frequency:g}; see [antenna] "
            "frequency_range"
        )
    if many:
        weight = torch.from_numpy(interpolation_weights(nodes, frequency))
        mean, patterns, projection = _between(weight, mean, patterns, projection)
    n, wide = mean.shape
    if not n or wide % n or (wide // n) % 2 != 1 or patterns.shape[1:] != (n, wide) or projection.shape != (wide, n):
        raise SpecificationError(
            f"{path}: expected mean (N, J N), patterns (K, N, J N), projection (J N, N) with odd J, found {shapes}"
        )
    check_entries(n, len(patterns))
    if not (mean @ projection).diagonal().mean().abs() > 1 / LARGEST_ENTRY:
        raise SpecificationError(f"{path}: expected a coupling with a diagonal, found none")
    if weights is None or scales is None or weights.shape == (1,):
        return DrawnFamily(mean, patterns, projection)
    fit = weights.ndim == 1 and scales.shape == (len(weights), len(patterns))
    if not fit or not min(weights.min(), scales.min()) > 1 / LARGEST_ENTRY or not abs(weights.sum() - 1) < 1e-3:
        raise SpecificationError(
            f"{path}: expected weights (M,) whose sum is 1 and scales (M, K), above zero, found "
            f"{shown(tuple(weights.shape))} and {shown(tuple(scales.shape))} for K = {len(patterns)}"
        )
    return DrawnFamily(mean, patterns, projection, weights=weights, scales=scales)


def _between(
    weights: torch.Tensor,  # shape: (F,)
    mean: torch.Tensor,  # shape: (F, N, J N)
    patterns: torch.Tensor,  # shape: (F, K, N, J N)
    projection: torch.Tensor,  # shape: (F, J N, N)
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Tensors at a frequency, again so that C has mean diagonal 1 whatever the parameters."""
    m, e, w = (torch.tensordot(weights.to(x.dtype), x, 1) for x in (mean, patterns, projection))
    m = m / (m @ w).diagonal().mean()
    return m, e - (e @ w).diagonal(dim1=1, dim2=2).mean(1)[:, None, None] * m, w


def file_digest(path: str | Path) -> str:
    """Fingerprint of a prior file. Raises SpecificationError when it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise SpecificationError(f"[coupling] prior must be a file that can be read, found {path} ({error})") from error

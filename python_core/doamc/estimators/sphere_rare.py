"""Rank reduction (RARE) on the sphere: directions of both angles without knowing the coupling; MUSIC where it is none.

As in `rare`, a direction u is present where the noise subspace leaves T(u) = [E_0 a(u), E_1 a(u), ...] rank deficient,
that is, where 1 - lambda_max(E_s^H Q Q^H E_s) vanishes, Q an orthonormal basis of T. With E_0 = I alone that is MUSIC.
"""

import math

import torch

from doamc.errors import EstimatorError
from doamc.estimators.sphere import BLOCK, SphereGrid
from doamc.spec import ArraySpec

RIDGE = 1e-6  #: of T^H T, of its mean diagonal: where T is rank deficient itself its weak directions do not count
MOST_ENTRIES = 1 << 25  #: of bases of all directions: half a gigabyte
RICHEST = 5  #: members of a basis, beyond which rank reduction is too blunt to start from


class SphereRare:
    """The spectrum of an array with elevations. basis: (K', N, N), E_k; that of its coupling family where left out."""

    def __init__(self, spec: ArraySpec, basis: torch.Tensor | None = None) -> None:
        self.spec, self.grid = spec, SphereGrid(spec)
        self.basis = (spec.family.linear_basis if basis is None else basis).to(torch.complex128)
        self._wave = 2 * math.pi * spec.positions
        entries = len(self.grid) * spec.n_elements * len(self.basis)
        if entries > MOST_ENTRIES:
            raise EstimatorError(
                f"rank reduction needs {entries} numbers for array {spec.name}, expected {MOST_ENTRIES} at most; take "
                "a smaller sector or a coupling family of fewer coefficients"
            )
        self._q = self.bases(self.grid.unit)  # (G, N, K')

    def bases(self, unit: torch.Tensor) -> torch.Tensor:
        """Orthonormal bases Q (..., N, K') at directions (..., 3)."""
        phase = unit @ self._wave.T
        a = torch.polar(torch.ones_like(phase), phase)
        k, n, _ = self.basis.shape
        t = (a @ self.basis.flatten(0, 1).mT).unflatten(-1, (k, n)).mT
        gram = t.mH @ t
        level = gram.diagonal(dim1=-2, dim2=-1).real.mean(-1)[..., None, None]
        root = torch.linalg.cholesky(gram + RIDGE * level * torch.eye(k, dtype=t.dtype))
        return torch.linalg.solve_triangular(root, t.mH, upper=False).mH

    def values(self, signal: torch.Tensor) -> torch.Tensor:
        """1 - lambda_max on the grid, (B, G), of orthonormal signal subspaces (B, N, P)."""
        size = len(self.grid) * signal.shape[2] * len(self.basis)
        parts = signal.conj().split(max(1, BLOCK // size))
        return torch.cat([_residual(torch.einsum("bnp,gnk->bgpk", s, self._q)) for s in parts])

    def minima(self, signal: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Azimuths and elevations (B, count) in rad of the deepest minima, deepest first."""
        places = self.grid.lowest(self.values(signal), count)
        adjoint = signal.mH[:, None, None]
        return self.grid.refined(lambda unit: _residual(adjoint @ self.bases(unit)), places)


def start_spectrum(spec: ArraySpec) -> SphereRare:
    """The spectrum that descents and chains start from: MUSIC where the family is too rich for rank reduction."""
    basis = spec.family.linear_basis
    rich = len(basis) > RICHEST or len(basis) >= spec.n_elements
    return SphereRare(spec, basis[:1] if rich else basis)


def _residual(z: torch.Tensor) -> torch.Tensor:
    """1 - lambda_max(z z^H), (...), of z (..., P, K')."""
    if z.shape[-2] > z.shape[-1]:
        z = z.mT
    if z.shape[-2] == 1:
        return 1 - torch.view_as_real(z).square().sum((-1, -2, -3))
    if z.shape[-2] > 2:
        return 1 - torch.linalg.eigvalsh(z @ z.mH)[..., -1]
    first, second = torch.view_as_real(z).square().sum((-1, -2)).unbind(-1)
    off = (z[..., 0, :] * z[..., 1, :].conj()).sum(-1)
    half = 0.5 * (first - second)
    return 1 - 0.5 * (first + second) - (half.square() + off.real.square() + off.imag.square()).sqrt()

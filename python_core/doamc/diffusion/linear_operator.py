"""A linear observation y = H x + n, n circular with power sigma_y^2 per entry, H held as its (complex) SVD.

H is anything linear: an analog combiner W^H, an array with dead elements, a projection into beams.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch

from doamc.errors import SamplerError


class Operator(Protocol):
    """What guidance asks of H = U diag(s) V^H: products with its parts, never a matrix."""

    @property
    def s(self) -> torch.Tensor:
        """Singular values > 0, (R,), descending."""

    @property
    def rows(self) -> int:
        """M, entries of y."""

    @property
    def columns(self) -> int:
        """N, entries of x."""

    @property
    def rank(self) -> int:
        """R."""

    def of_real_states(self) -> "Operator":
        """What H observes of real x, with real y."""

    def spectral(self, x: torch.Tensor) -> torch.Tensor:
        """Coordinates V^H x: (..., N) -> (..., R)."""

    def from_spectral(self, z: torch.Tensor) -> torch.Tensor:
        """V z: (..., R) -> (..., N), the adjoint of `spectral`."""

    def observed(self, y: torch.Tensor) -> torch.Tensor:
        """U^H y: (..., M) -> (..., R)."""


@dataclass(frozen=True)
class LinearOperator:
    """H = U diag(s) V^H of rank R: U (M, R), s (R,) > 0 descending, V (N, R)."""

    u: torch.Tensor
    s: torch.Tensor
    v: torch.Tensor

    @classmethod
    def from_matrix(cls, matrix: torch.Tensor, tolerance: float = 1e-10) -> "LinearOperator":
        """Of a matrix (M, N), real or complex; singular values below tolerance times the largest count as zero.

        Raises SamplerError for a matrix that is empty, zero or not finite.
        """
        if matrix.ndim != 2 or not bool(torch.isfinite(matrix.abs()).all()):
            raise SamplerError(f"H must be a finite matrix, found shape {tuple(matrix.shape)}")
        u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
        rank = int((s > tolerance * s[:1]).sum()) if s.numel() else 0
        if rank == 0:
            raise SamplerError("H is zero: it observes nothing")
        return cls(u[:, :rank], s[:rank], vh[:rank].mH)

    @classmethod
    def selection(cls, n: int, kept: Sequence[int], dtype: torch.dtype = torch.complex128) -> "LinearOperator":
        """The live elements `kept` of an array of n."""
        if len(set(kept)) != len(kept) or not kept or not all(0 <= k < n for k in kept):
            raise SamplerError(f"live elements must be distinct and lie in 0..{n - 1}, found {list(kept)}")
        rows = torch.eye(n, dtype=dtype)[list(kept)]
        return cls(torch.eye(len(kept), dtype=dtype), torch.ones(len(kept), dtype=rows.real.dtype), rows.mH)

    @classmethod
    def combiner(cls, weights: torch.Tensor) -> "LinearOperator":
        """An analog combiner with columns w (N, M): y = W^H x."""
        return cls.from_matrix(weights.mH)

    @classmethod
    def beamspace(cls, n: int, beams: Sequence[int]) -> "LinearOperator":
        """Columns `beams` of the unitary DFT of an n-element line: y = F^H x."""
        phase = 2 * math.pi / n * torch.outer(torch.arange(n), torch.tensor(list(beams))).to(torch.float64)
        return cls.combiner(torch.polar(torch.full_like(phase, n**-0.5), phase))

    @cached_property
    def matrix(self) -> torch.Tensor:
        """H, (M, N)."""
        return (self.u * self.s) @ self.v.mH

    @property
    def rows(self) -> int:
        """M."""
        return len(self.u)

    @property
    def columns(self) -> int:
        """N."""
        return len(self.v)

    @property
    def rank(self) -> int:
        """R."""
        return len(self.s)

    def of_real_states(self) -> "LinearOperator":
        """What H observes of real x: its real parts, then its imaginary parts, (2 M, R'); H itself where it is real."""
        if not self.u.is_complex():
            return self
        return self.from_matrix(torch.cat([self.matrix.real, self.matrix.imag]))

    def apply(self, x: torch.Tensor) -> torch.Tensor:
        """H x: (..., N) -> (..., M)."""
        return x @ self.matrix.mT

    def spectral(self, x: torch.Tensor) -> torch.Tensor:
        """Coordinates V^H x: (..., N) -> (..., R)."""
        return x @ self.v.conj()

    def from_spectral(self, z: torch.Tensor) -> torch.Tensor:
        """V z: (..., R) -> (..., N), the adjoint of `spectral`."""
        return z @ self.v.mT

    def observed(self, y: torch.Tensor) -> torch.Tensor:
        """U^H y: (..., M) -> (..., R). Noise stays white; what lies outside the range of H says nothing about x."""
        return (y.to(self.u.dtype) if self.u.is_complex() else y) @ self.u.conj()


def stacked(y: torch.Tensor) -> torch.Tensor:
    """Real parts of y, then imaginary parts, (..., 2 M): y as `of_real_states` of a complex H observes it."""
    return torch.cat([y.real, y.imag if y.is_complex() else torch.zeros_like(y)], -1)

"""Wiener filters for y = x0 + n with n ~ CN(0, v I): the mean of clean snapshots given received ones."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class SignalCovariance:
    """Eigen-decomposition U diag(r) U^H of a batch of signal covariances; U (B, N, N), r (B, N) >= 0."""

    vectors: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, covariance: torch.Tensor) -> "SignalCovariance":
        """Decompose Hermitian matrices (B, N, N); negative eigenvalues are set to zero."""
        values, vectors = torch.linalg.eigh(covariance)
        return cls(vectors, values.clamp_min(0))

    def wiener(self, noise_power: torch.Tensor) -> torch.Tensor:
        """Filter R (R + v I)^-1 for noise powers (B,): (B, N, N)."""
        gain = self.values / (self.values + noise_power[:, None])
        return (self.vectors * gain[:, None]) @ self.vectors.mH


def subspace_wiener(
    covariance: torch.Tensor,  # shape: (B, N, N), sample covariance of y
    n_sources: int,
    noise_power: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """The batch's own signal-subspace Wiener filter (B, N, N): gains (l_i - s2) / l_i on the P largest eigenvalues."""
    values, vectors = torch.linalg.eigh(covariance)
    top, basis = values[:, -n_sources:], vectors[..., -n_sources:]
    gain = (1 - noise_power[:, None] / top).clamp_min(0)
    return (basis * gain[:, None]) @ basis.mH


def filter_error(
    weights: torch.Tensor,  # shape: (B, N, N), filter W
    signal: torch.Tensor,  # shape: (B, N, N), moments E[x x^H]
    cross: torch.Tensor,  # shape: (B, N, N), moments E[z x^H] of the observation z and x
    observed: torch.Tensor,  # shape: (B, N, N), moments E[z z^H]
) -> torch.Tensor:
    """Mean squared error E||W z - x||^2 over the snapshots behind the moments, (B,)."""
    quadratic = torch.einsum("bij,bjk,bik->b", weights, observed, weights.conj()).real
    linear = torch.einsum("bij,bji->b", weights, cross).real
    return quadratic - 2 * linear + signal.diagonal(dim1=1, dim2=2).real.sum(1)

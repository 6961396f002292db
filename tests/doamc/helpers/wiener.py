"""Wiener filters for y = x0 + n that know the covariance of x0."""

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

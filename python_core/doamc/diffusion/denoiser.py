"""Denoisers: (x_t, alpha_t, sigma_t) -> mean of x_0 given x_t; closed forms for Gaussians and mixtures.

A network (`parametrisation.NetworkDenoiser`), a closed form and a guided denoiser (`guidance`) are all denoisers;
no sampler can tell one from another. States have shape (B, N): B items, each worked on for itself. Real states
belong to real Gaussians, complex ones to circular complex Gaussians.
"""

from typing import Protocol

import torch

#: alpha or sigma: a number, or (B, 1), one an item
Level = float | torch.Tensor


class Denoiser(Protocol):
    """Tweedie: D(x_t) = (x_t + sigma^2 score(x_t)) / alpha.

    Those of a prior also take alpha and sigma as tensors (B, 1), one an item, which `Combined` asks of them.
    """

    def __call__(self, x_t: torch.Tensor, alpha: float, sigma: float, /) -> torch.Tensor:
        """Mean of x_0 given x_t, same shape."""


class GaussianDenoiser:
    """x_0 ~ N(mean, covariance), circular where complex: D = m + a R (a^2 R + s^2 I)^-1 (x_t - a m)."""

    def __init__(
        self,
        mean: torch.Tensor,  # shape: (N,) or (B, N)
        covariance: torch.Tensor,  # shape: (N, N) or (B, N, N), Hermitian, non-negative
    ) -> None:
        values, self.vectors = torch.linalg.eigh(covariance)
        self.mean, self.values = mean, values.clamp_min(0)

    def __call__(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """Mean of x_0 given x_t."""
        gain = alpha * self.values / (alpha**2 * self.values + sigma**2)
        inner = torch.einsum("...ji,...j->...i", self.vectors.conj(), x_t - alpha * self.mean)
        return self.mean + torch.einsum("...ij,...j->...i", self.vectors, gain * inner)


class MixtureDenoiser:
    """x_0 from a mixture of K Gaussians with covariances v_k I: the mean over components of each one's own mean."""

    def __init__(
        self,
        weights: torch.Tensor,  # shape: (K,), sum 1
        means: torch.Tensor,  # shape: (K, N)
        variances: torch.Tensor,  # shape: (K,), power per component of x
    ) -> None:
        self.log_weights, self.means, self.variances = weights.log(), means, variances
        self.half = 1.0 if means.is_complex() else 0.5  # a circular density has no factor 1/2 in the exponent

    def responsibility(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """P(component | x_t), (B, K)."""
        total = alpha**2 * self.variances + sigma**2
        distance = (x_t[:, None] - _inner(alpha) * self.means).abs().square().sum(2)
        n = self.means.shape[1]
        return torch.softmax(self.log_weights - self.half * (n * total.log() + distance / total), 1)

    def __call__(self, x_t: torch.Tensor, alpha: Level, sigma: Level) -> torch.Tensor:
        """Mean of x_0 given x_t."""
        share = self.responsibility(x_t, alpha, sigma)
        gain = alpha * self.variances / (alpha**2 * self.variances + sigma**2)
        each = self.means + gain[..., None] * (x_t[:, None] - _inner(alpha) * self.means)  # (B, K, N)
        return (share[..., None] * each).sum(1)


def _inner(level: Level) -> Level:
    """(B, 1) as (B, 1, 1)."""
    return level[..., None] if isinstance(level, torch.Tensor) else level

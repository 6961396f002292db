"""Wiener filters for y = x0 + n with n ~ CN(0, v I): the mean of clean snapshots given received ones."""

import torch


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

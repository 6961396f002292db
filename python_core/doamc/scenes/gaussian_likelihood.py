"""The Gaussian log likelihood of a covariance matrix, and what it tells of parameters: slopes, Fisher information."""

import torch


def fisher_information(
    r: torch.Tensor,  # shape: (B, N, N)
    dr: torch.Tensor,  # shape: (B, D, N, N)
) -> torch.Tensor:
    """Fisher information of one snapshot, F_ij = Re tr(R^-1 dR_i R^-1 dR_j), (B, D, D)."""
    m = torch.linalg.inv(r)[:, None] @ dr
    return (m.flatten(2) @ m.mT.flatten(2).mT).real


def likelihood_derivatives(
    r: torch.Tensor,  # shape: (B, N, N)
    dr: torch.Tensor,  # shape: (B, D, N, N)
    covariance: torch.Tensor,  # shape: (B, N, N), of the sample
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """log det R + tr(R^-1 R_hat) (B,), its gradient (B, D), and the Fisher information (B, D, D) of one snapshot.

    The gradient is tr(R^-1 (R - R_hat) R^-1 dR_i). The value is infinite where R is not positive.
    """
    factor, info = torch.linalg.cholesky_ex(r)
    if info.any():  # a step too far, not taken: its value is infinite, but the inverse must exist
        factor = torch.where((info == 0)[:, None, None], factor, torch.eye(r.shape[1], dtype=r.dtype))
    inverse = torch.cholesky_inverse(factor)
    ratio = inverse @ covariance
    log_det = 2 * factor.diagonal(dim1=1, dim2=2).real.log().sum(1)
    value = log_det + ratio.diagonal(dim1=1, dim2=2).real.sum(1)
    m = inverse[:, None] @ dr  # R^-1 dR_i
    flat, mirrored = m.flatten(2), m.mT.flatten(2)
    slope = m.diagonal(dim1=2, dim2=3).sum(2).real - (mirrored @ ratio.flatten(1)[..., None])[..., 0].real
    return torch.where(info == 0, value, torch.inf), slope, (flat @ mirrored.mT).real

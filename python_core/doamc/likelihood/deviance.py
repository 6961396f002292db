"""How badly a batch fits: its deviance, and what that is for a batch that the model describes.

    D = 2 L [log det R + tr(R^-1 Rhat) - log det Rhat - N]

For R the true covariance, L Rhat is Wishart, and D has mean -2 L (sum_i psi(L - i) - N log L) and variance
4 L^2 (sum_i psi'(L - i) - N / L), i = 0..N-1 (from the Bartlett factor; large L: chi-square with N^2 degrees of
freedom). What is fitted to the batch takes one degree of freedom each; a coupling with a normal prior takes none, since
its penalty is counted.
"""

import math

import torch


def deviance(
    log_density: torch.Tensor,  # shape: (B,), of the fit: -L (log det R + tr(R^-1 Rhat)) less half the square of the
    # normal parameters
    covariance: torch.Tensor,  # shape: (B, N, N), Rhat
    snapshots: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """D (B,) with the penalty of the coupling's prior; NaN where Rhat is singular, L < N."""
    n = covariance.shape[-1]
    found = -2 * (log_density + snapshots * (torch.linalg.slogdet(covariance)[1] + n))
    return torch.where(snapshots < n, math.nan, found)


def expected_deviance(
    n_elements: int,
    snapshots: torch.Tensor,  # shape: (B,)
    fitted: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation (B,) of D after `fitted` parameters were fitted."""
    place = torch.arange(n_elements, dtype=torch.float64, device=snapshots.device)
    count = (snapshots[:, None] - place).clamp_min(0.5)
    mean = -2 * snapshots * (torch.digamma(count).sum(1) - n_elements * snapshots.log())
    variance = 4 * snapshots.square() * (torch.polygamma(1, count).sum(1) - n_elements / snapshots)
    left = 1 - fitted / n_elements**2
    return mean * left, (variance * left).sqrt()

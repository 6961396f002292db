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
    log_density: float,  # of the fit: -L (log det R + tr(R^-1 Rhat)) less half the square of the normal parameters
    covariance: torch.Tensor,  # shape: (1, N, N), Rhat
    snapshots: float,
) -> float:
    """D with the penalty of the coupling's prior; NaN for fewer snapshots than elements, where Rhat is singular."""
    n = covariance.shape[-1]
    if snapshots < n:
        return math.nan
    return -2 * (log_density + snapshots * (float(torch.linalg.slogdet(covariance)[1]) + n))


def expected_deviance(n_elements: int, snapshots: float, fitted: int) -> tuple[float, float]:
    """Mean and standard deviation of D after `fitted` parameters were fitted."""
    count = torch.tensor([snapshots - i for i in range(n_elements)], dtype=torch.float64).clamp_min(0.5)
    mean = -2 * snapshots * (float(torch.digamma(count).sum()) - n_elements * math.log(snapshots))
    variance = 4 * snapshots**2 * (float(torch.polygamma(1, count).sum()) - n_elements / snapshots)
    left = 1 - fitted / n_elements**2
    return mean * left, math.sqrt(variance * left)

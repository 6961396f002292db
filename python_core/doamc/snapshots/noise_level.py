"""The noise power that the small eigenvalues of a sample covariance tell."""

import numpy as np
import torch

#: least noise power per element, over the mean power, that is more than rounding errors
LEAST_NOISE = 1e-12
LEAST_FREEDOM = 0.5  #: snapshots beyond the sources at least, where a number of them is divided by


def noise_power_from_eigenvalues(
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
) -> torch.Tensor:
    """Mean of the N - P smallest eigenvalues (the maximum-likelihood noise power of a free signal subspace), (B,)."""
    return mean_of_smallest(torch.linalg.eigvalsh(covariance), n_sources)


def mean_of_smallest(
    values: torch.Tensor,  # shape: (B, N), eigenvalues, ascending
    n_sources: int,
) -> torch.Tensor:
    """Noise power (B,) of eigenvalues that are known already, at least `LEAST_NOISE` of the mean of all.

    Without noise they are rounding errors, of either sign.
    """
    v = values.cpu().numpy()
    n = v.shape[1]
    power = np.maximum(v[:, : n - n_sources].sum(1) / (n - n_sources), LEAST_NOISE * (v.sum(1) / n))
    return torch.from_numpy(power).to(values.device)


def unbiased_noise_power(
    power: torch.Tensor,  # shape: (B,), of `noise_power_from_eigenvalues`
    snapshots: torch.Tensor | float,  # L, shape: (B,) where it is not the same
    n_sources: int,
) -> torch.Tensor:
    """Noise power (B,) with the P degrees of freedom given back that the signal subspace takes: times L / (L - P).

    At least `LEAST_FREEDOM` snapshots are taken to be left.
    """
    left = snapshots - n_sources
    return power * snapshots / (left.clamp_min(LEAST_FREEDOM) if torch.is_tensor(left) else max(left, LEAST_FREEDOM))

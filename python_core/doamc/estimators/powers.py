"""Source and noise powers once directions and coupling are known, by least squares on the covariance."""

import torch

#: least noise power per element, over the mean power, that is more than rounding errors
LEAST_NOISE = 1e-12


def noise_power_from_eigenvalues(
    covariance: torch.Tensor,  # shape: (B, N, N)
    n_sources: int,
) -> torch.Tensor:
    """Mean of the N - P smallest eigenvalues (the maximum-likelihood noise power of a free signal subspace), (B,).

    At least `LEAST_NOISE` of the mean of all: without noise they are rounding errors, of either sign.
    """
    return mean_of_smallest(torch.linalg.eigvalsh(covariance), n_sources)


def mean_of_smallest(
    values: torch.Tensor,  # shape: (B, N), ascending
    n_sources: int,
) -> torch.Tensor:
    """`noise_power_from_eigenvalues` where these are known."""
    n = values.shape[1]
    least = LEAST_NOISE / n * values.sum(1)
    return torch.maximum(values[:, : n - n_sources].sum(1) / (n - n_sources), least)


def source_powers(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P), C A
    noise_power: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """Powers (B, P) = diagonal of V^+ (R - s2 I) V^+^H, at least a thousandth of the noise power each."""
    inverse, noise = torch.linalg.pinv(response), noise_power[:, None]
    conjugate = inverse.conj().resolve_conj()
    received = (inverse @ covariance * conjugate).real.sum(2)
    return torch.maximum(received - noise * (inverse * conjugate).real.sum(2), 1e-3 * noise)

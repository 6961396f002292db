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
    values = torch.linalg.eigvalsh(covariance)
    return torch.maximum(values[:, : covariance.shape[-1] - n_sources].mean(1), LEAST_NOISE * values.mean(1))


def source_powers(
    covariance: torch.Tensor,  # shape: (B, N, N)
    response: torch.Tensor,  # shape: (B, N, P), C A
    noise_power: torch.Tensor,  # shape: (B,)
) -> torch.Tensor:
    """Powers (B, P) = diagonal of V^+ (R - s2 I) V^+^H, at least a thousandth of the noise power each."""
    n = covariance.shape[-1]
    eye = torch.eye(n, dtype=covariance.dtype, device=covariance.device)
    inverse = torch.linalg.pinv(response)
    source = inverse @ (covariance - noise_power[:, None, None] * eye) @ inverse.mH
    return source.diagonal(dim1=1, dim2=2).real.clamp_min(1e-3 * noise_power[:, None])

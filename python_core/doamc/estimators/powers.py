"""Source powers once directions and coupling are known, by least squares on the covariance."""

import torch


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

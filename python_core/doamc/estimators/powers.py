"""Source powers once directions and coupling are known, by least squares on the covariance."""

import torch


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

"""E[x_0 | Y] as a mixture of Wiener filters over posterior samples (Rao-Blackwell)."""

import torch

from doamc.likelihood.density import ExactPosterior


def mean_wiener_filter(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, n), posterior samples
) -> torch.Tensor:
    """Mean over samples of V (s2 I + V^H V)^-1 V^H, (B, N, N): given the scene, E[x_0 | y] is this filter times y."""
    v = posterior.response(x)  # (B, n, N, P)
    s2 = posterior.noise_power(x).expand(v.shape[:2])
    gram = v.mH @ v + s2[..., None, None] * torch.eye(v.shape[-1], dtype=v.dtype, device=v.device)
    return (v @ torch.linalg.solve(gram, v.mH)).mean(1)

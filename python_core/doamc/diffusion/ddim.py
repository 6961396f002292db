"""DDIM, eqs. (32)-(33) of the source paper (Song et al. 2021, arXiv:2010.02502, eq. (12))."""

import math
from collections.abc import Sequence

import torch


def ddim_step(
    x_t: torch.Tensor,  # state at t, real or complex, any shape
    x_0: torch.Tensor,  # (guided) estimate of x_0 given x_t, same shape
    alpha: Sequence[float],  # (alpha_t, alpha_s), s the next, less noisy point
    sigma: Sequence[float],  # (sigma_t, sigma_s)
    eta: float = 0.0,
    noise: torch.Tensor | None = None,  # standard normal, same shape; needed when eta > 0
) -> torch.Tensor:
    """One step from t to s: x_s = alpha_s x_0 + sqrt(sigma_s^2 - w^2) eps_mapped + w z.

    eps_mapped = (x_t - alpha_t x_0) / sigma_t is eq. (32); w = eta sigma_s / sigma_t sqrt(1 - alpha_t^2 / alpha_s^2).
    eta = 0 is deterministic (eq. 33), eta = 1 is ancestral sampling (eq. 42, corrected).
    """
    eps_mapped = (x_t - alpha[0] * x_0) / sigma[0]
    if eta == 0.0:
        return alpha[1] * x_0 + sigma[1] * eps_mapped
    if noise is None:
        raise TypeError("eta > 0 needs noise")
    w = eta * sigma[1] / sigma[0] * math.sqrt(max(0.0, 1.0 - (alpha[0] / alpha[1]) ** 2))
    kept = math.sqrt(max(0.0, sigma[1] ** 2 - w * w))
    return alpha[1] * x_0 + kept * eps_mapped + w * noise

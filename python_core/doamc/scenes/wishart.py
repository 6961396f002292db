"""Sample covariances drawn without drawing snapshots.

The sample covariance of L Gaussian snapshots is Wishart; Bartlett's triangular factor ([Bartlett 1933]; [Goodman]
for the complex case) draws it in O(N^2) whatever L is, and for L < N it gives the singular Wishart.
"""

import math

import numpy as np
import torch


def draw_covariance(
    covariance: torch.Tensor,  # shape: (B, N, N), true covariance, positive definite
    snapshots: torch.Tensor,  # shape: (B,), L >= 1
    rng: np.random.Generator,
) -> torch.Tensor:
    """Sample covariances (B, N, N) of L circular Gaussian snapshots each."""
    batch, n, _ = covariance.shape
    shape = (snapshots[:, None] - torch.arange(n)).clamp_min(0).numpy()
    root = np.sqrt(rng.standard_gamma(np.maximum(shape, 1e-300))) * (shape > 0)
    z = rng.standard_normal((batch, n, n, 2))
    lower = torch.view_as_complex(torch.from_numpy(z)).tril(-1) / math.sqrt(2)
    lower = lower * torch.from_numpy((shape > 0).astype(float))[:, None, :]
    factor = torch.linalg.cholesky(covariance) @ (lower + torch.diag_embed(torch.from_numpy(root)))
    return factor @ factor.mH / snapshots[:, None, None]

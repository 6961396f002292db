"""Damped Fisher scoring on the log posterior, for batches whose posterior is far narrower than the proposals.

At high SNR times L the network's resolution (a fraction of a degree) is many posterior widths. A few scoring steps
from the best proposals find the modes; chains then start from the Gaussian approximation around them. Below that
regime nothing here is used: a maximum of a broad posterior is not where its mass is.
"""

import torch

from doamc.posterior.fisher import information, prior_precision
from doamc.posterior.likelihood import ExactPosterior


def climb(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, G)
    value: torch.Tensor,  # shape: (B, G)
    steps: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Levenberg-Marquardt steps, clipped to the prior's box and taken only uphill; returns points and log posterior."""
    chart = posterior.chart
    low, high = (v[:, None].to(x.device) for v in (chart.low, chart.high))
    box = (~chart.wraps)[:, None].to(x.device)
    weak = torch.diag_embed(prior_precision(posterior))
    damping = torch.full_like(value, 1e-3)
    for _ in range(steps):
        gradient, f = information(posterior, x)
        a = f + damping[..., None, None] * torch.diag_embed(f.diagonal(dim1=-2, dim2=-1)) + 0.1 * weak
        at_low, at_high = (x <= low) & box, (x >= high) & box
        g = gradient.transpose(1, 2)
        held = ((at_low & (g < 0)) | (at_high & (g > 0))).transpose(1, 2)  # coordinates that a wall stops
        free = (~held).to(f.dtype)
        a = a * free[..., None] * free[..., None, :] + torch.diag_embed(held.to(f.dtype))
        step = torch.linalg.solve(a, (gradient * free)[..., None])[..., 0].transpose(1, 2)
        widest = 0.25 * (high - low)
        new = x + step.clamp(-widest, widest)
        new = torch.where(box, torch.maximum(torch.minimum(new, high), low), new)
        fresh = posterior(new)
        better = fresh > value
        x = torch.where(better[:, None], new, x)
        value = torch.where(better, fresh, value)
        damping = torch.where(better, damping * 0.1, damping * 10).clamp(1e-8, 1e4)
    return x, value


def spread(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
) -> torch.Tensor:
    """Lower Cholesky factors (B, S, d, d) of the inverse of Fisher information plus prior precision at x."""
    f = information(posterior, x)[1] + torch.diag_embed(prior_precision(posterior))
    scale = f.diagonal(dim1=-2, dim2=-1).rsqrt()
    eye = torch.eye(f.shape[-1], dtype=f.dtype, device=f.device).expand_as(f)
    root = torch.linalg.cholesky(f * scale[..., None] * scale[..., None, :] + 1e-10 * eye)
    return torch.linalg.solve_triangular(root, eye, upper=False).mH * scale[..., None]

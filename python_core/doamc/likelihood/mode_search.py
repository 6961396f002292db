"""Damped Fisher scoring on the log posterior, for batches whose posterior is far narrower than the proposals.

At high SNR times L the network's resolution (a fraction of a degree) is many posterior widths. A few scoring steps
from the best proposals find the modes; chains then start from the Gaussian approximation around them. Below that
regime nothing here is used: a maximum of a broad posterior is not where its mass is.
"""

import math

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import information, prior_precision


def search_modes(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, G)
    value: torch.Tensor,  # shape: (B, G)
    steps: int,
    survivors: int,
    prune_after: int = 3,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Levenberg-Marquardt steps, clipped to the prior's box and taken only uphill; points and log posterior.

    After prune_after steps the best `survivors` of each observation go on. A climber whose last gain was below 0.01
    stands still, so that an observation's result does not depend on how long others need.
    """
    if posterior.native is not None:
        weak = 0.1 * prior_precision(posterior)
        return posterior.native.climb(x, value, weak, steps, survivors, prune_after)
    return search_modes_by_tensors(posterior, x, value, steps, survivors, prune_after)


def search_modes_by_tensors(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, G)
    value: torch.Tensor,  # shape: (B, G)
    steps: int,
    survivors: int,
    prune_after: int = 3,
) -> tuple[torch.Tensor, torch.Tensor]:
    """`search_modes` by tensor operations: the reference of the compiled loop, and what runs on other devices."""
    coordinates = posterior.coordinates
    low, high = coordinates.low[:, None], coordinates.high[:, None]
    box = ~coordinates.wraps[:, None]
    weak = torch.diag_embed(0.1 * prior_precision(posterior))
    widest = 0.25 * (high - low)
    low, high = torch.where(box, low, -math.inf), torch.where(box, high, math.inf)
    damping = torch.full_like(value, 1e-3)
    done = torch.zeros_like(value, dtype=torch.bool)
    for i in range(steps):
        if i == prune_after and survivors < value.shape[1]:
            value, index = value.topk(survivors, 1)
            x = x.gather(2, index[:, None].expand(-1, x.shape[1], -1))
            damping, done = damping.gather(1, index), done.gather(1, index)
        gradient, f = information(posterior, x)
        g = gradient.transpose(1, 2)
        held = ((x <= low) & (g < 0)) | ((x >= high) & (g > 0))  # coordinates that a wall stops
        free = (~held).to(f.dtype).transpose(1, 2)
        a = torch.diag_embed(f.diagonal(dim1=-2, dim2=-1) * damping[..., None] + (1 - free)) + f + weak
        a = torch.where(free[..., None] * free[..., None, :] > 0, a, torch.diag_embed(1 - free))
        step = torch.linalg.solve(a, (gradient * free)[..., None])[..., 0].transpose(1, 2)
        new = torch.maximum(torch.minimum(x + torch.maximum(torch.minimum(step, widest), -widest), high), low)
        fresh = posterior(new)
        better = (fresh > value) & ~done
        x = torch.where(better[:, None], new, x)
        done = done | (better & (fresh - value < 0.01))
        value = torch.where(better, fresh, value)
        damping = torch.where(better, damping * 0.1, damping * 10).clamp(1e-8, 1e4)
        if i > prune_after and bool(done.all()):
            break
    return x, value


def covariance_factors(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
) -> torch.Tensor:
    """Lower Cholesky factors (B, S, d, d) of the inverse of Fisher information plus prior precision at x."""
    f = (information(posterior, x) if posterior.native is None else posterior.native.information(x))[1]
    f = f + torch.diag_embed(prior_precision(posterior))
    scale = f.diagonal(dim1=-2, dim2=-1).rsqrt()
    eye = torch.eye(f.shape[-1], dtype=f.dtype, device=f.device).expand_as(f)
    root = torch.linalg.cholesky(f * scale[..., None] * scale[..., None, :] + 1e-10 * eye)
    return torch.linalg.solve_triangular(root, eye, upper=False).mH * scale[..., None]

"""Mode search by damped Fisher scoring, for batches whose posterior is far narrower than the proposals.

At high SNR times L the network's resolution (a fraction of a degree) is many posterior widths. A few scoring steps
from the best proposals find the modes; chains then start from the Gaussian approximation around them. Below that
regime nothing here is used: a maximum of a broad posterior is not where its mass is.

`estimators.scoring` descends any criterion, without walls. Here walls hold coordinates still and points are pruned on
the way, and steps and damping are those of the compiled loop, which must come to the same points.
"""

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior

# those of the compiled loop stand in loops/mode_search.h
PRUNE_AFTER = 3  #: steps after which the best points go on alone
WIDEST_STEP = 0.25  #: of the box's width: a longer step leaves the place where the quadratic model holds
FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-3, 1e-8, 1e4  #: of Levenberg and Marquardt
LESS_DAMPING, MORE_DAMPING = 0.1, 10.0  #: factors on it after a step that was taken, and one that was not
LEAST_GAIN = 0.01  #: nats; after a smaller gain a point stands still
UNIT_RIDGE = 1e-10  #: on the diagonal of a matrix scaled to one: round-off must not make it indefinite


def search_modes(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, G)
    value: torch.Tensor,  # shape: (B, G)
    steps: int,
    survivors: int,
    prune_after: int = PRUNE_AFTER,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Levenberg-Marquardt steps, clipped to the prior's box and taken only uphill; points and log posterior.

    After prune_after steps the best `survivors` of each observation go on. A point whose last gain was below
    `LEAST_GAIN` stands still, so that an observation's result does not depend on how long others need.
    """
    return posterior.backend.search_modes(x, value, steps, survivors, prune_after)


def search_modes_by_tensors(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, G)
    value: torch.Tensor,  # shape: (B, G)
    steps: int,
    survivors: int,
    prune_after: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """`search_modes` by tensor operations: the reference of the compiled loop, and what runs on other devices."""
    coordinates = posterior.coordinates
    low, high = coordinates.low[:, None], coordinates.high[:, None]
    box = ~coordinates.wraps[:, None]
    weak = torch.diag_embed(posterior.constants.ridge)
    widest = WIDEST_STEP * (high - low)
    low, high = torch.where(box, low, -math.inf), torch.where(box, high, math.inf)
    damping = torch.full_like(value, FIRST_DAMPING)
    done = torch.zeros_like(value, dtype=torch.bool)
    for i in range(steps):
        if i == prune_after and survivors < value.shape[1]:
            value, index = value.topk(survivors, 1)
            x = x.gather(2, index[:, None].expand(-1, x.shape[1], -1))
            damping, done = damping.gather(1, index), done.gather(1, index)
        gradient, f = posterior.information(x)
        g = gradient.transpose(1, 2)
        held = ((x <= low) & (g < 0)) | ((x >= high) & (g > 0))  # coordinates that a wall stops
        free = (~held).to(f.dtype).transpose(1, 2)
        a = torch.diag_embed(f.diagonal(dim1=-2, dim2=-1) * damping[..., None] + (1 - free)) + f + weak
        a = torch.where(free[..., None] * free[..., None, :] > 0, a, torch.diag_embed(1 - free))
        step = torch.linalg.solve(a, (gradient * free)[..., None])[..., 0].transpose(1, 2)
        new = torch.maximum(torch.minimum(x + torch.maximum(torch.minimum(step, widest), -widest), high), low)
        fresh = posterior.log_posterior(new)
        better = (fresh > value) & ~done
        x = torch.where(better[:, None], new, x)
        done = done | (better & (fresh - value < LEAST_GAIN))
        value = torch.where(better, fresh, value)
        damping = torch.where(better, damping * LESS_DAMPING, damping * MORE_DAMPING)
        damping = damping.clamp(LEAST_DAMPING, MOST_DAMPING)
        if i > prune_after and bool(done.all()):
            break
    return x, value


def covariance_factors(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S)
) -> torch.Tensor:
    """Upper triangular factors U (B, S, d, d), U U^T the covariance of the normal approximation at x.

    That is the inverse of Fisher information plus prior precision.
    """
    f = posterior.backend.information(x)[1]
    f = f + torch.diag_embed(posterior.constants.prior_precision)
    scale = f.diagonal(dim1=-2, dim2=-1).rsqrt()
    eye = torch.eye(f.shape[-1], dtype=f.dtype, device=f.device).expand_as(f)
    root = torch.linalg.cholesky(f * scale[..., None] * scale[..., None, :] + UNIT_RIDGE * eye)
    return torch.linalg.solve_triangular(root, eye, upper=False).mH * scale[..., None]

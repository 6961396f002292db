"""Damped Fisher scoring: a batched Levenberg-Marquardt descent for criteria of the covariance.

Every item has its own damping and stops on its own, so its result does not depend on the rest of the batch.
"""

from collections.abc import Callable

import torch

#: steps after which the lowest of several descents goes on alone
SCOUTING = 4

#: criterion: x (B, D), indices of its items in the batch (B,) -> value (B,), gradient (B, D), curvature (B, D, D)
Criterion = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]


def fisher_scoring(
    criterion: Criterion,
    start: torch.Tensor,  # shape: (B, D)
    largest_step: torch.Tensor,  # shape: (D,), per coordinate; 0 freezes a coordinate
    max_iterations: int = 40,
    tolerance: float = 1e-7,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Minimise a criterion from a start; returns x (B, D) and its value (B,).

    A step solves (F + mu diag F) dx = -g, is clipped per coordinate, and is taken when the value falls; mu shrinks
    then and grows otherwise. An item stops when the predicted decrease g^T dx is below the tolerance, or when mu
    has grown past 1e7.
    """
    free = largest_step > 0
    every = bool(free.all())
    x_all, mu = start.clone(), torch.full((len(start),), 1e-2, dtype=start.dtype)
    index = torch.arange(len(start))
    x = start
    value, gradient, curvature = criterion(x, index)
    value_all = value.clone()
    limit = largest_step[free]
    for _ in range(max_iterations):
        f, g = (curvature, gradient) if every else (curvature[:, free][:, :, free], gradient[:, free])
        scale = f.diagonal(dim1=1, dim2=2).clamp_min(1e-300).rsqrt()
        # scaled to unit diagonal, the damped matrix is 1 + mu on the diagonal
        damped = f * scale[:, :, None] * scale[:, None] + torch.diag_embed((mu[index] + 1e-12)[:, None].expand_as(g))
        step = -scale * torch.linalg.solve_ex(damped, (scale * g)[..., None])[0][..., 0]
        decrease = -(g * step).sum(1)
        step = torch.maximum(torch.minimum(step, limit), -limit)
        if every:
            tried = x + step
        else:
            tried = x.clone()
            tried[:, free] += step
        new_value, new_gradient, new_curvature = criterion(tried, index)
        better = new_value < value
        if bool(better.all()):
            x, value, gradient, curvature = tried, new_value, new_gradient, new_curvature
        else:
            x = torch.where(better[:, None], tried, x)
            value = torch.where(better, new_value, value)
            gradient = torch.where(better[:, None], new_gradient, gradient)
            curvature = torch.where(better[:, None, None], new_curvature, curvature)
        mu[index] = torch.where(better, mu[index] * 0.3, mu[index] * 6).clamp_min(1e-9)
        x_all[index], value_all[index] = x, value
        go = (decrease > tolerance) & (mu[index] < 1e7)
        if not go.any():
            break
        if not go.all():
            index, x, value = index[go], x[go], value[go]
            gradient, curvature = gradient[go], curvature[go]
    return x_all, value_all


def best_descent(
    criterion: Criterion,
    start: torch.Tensor,  # shape: (B, S, D)
    largest_step: torch.Tensor,  # shape: (D,)
    keep: int,
    max_iterations: int = 40,
    tolerance: float = 1e-7,
) -> torch.Tensor:
    """Lowest point x (B, D) reached from several starts.

    All S are scored, the best ``keep`` are descended from for a few steps, and the lowest goes on alone.
    """
    b = start.shape[0]
    item = torch.arange(b).repeat_interleave(start.shape[1])
    value = criterion(start.flatten(0, 1), item)[0].unflatten(0, (b, -1))
    best = value.topk(min(keep, start.shape[1]), 1, largest=False)[1]
    x = start.gather(1, best[..., None].expand(-1, -1, start.shape[2])).flatten(0, 1)
    item = torch.arange(b).repeat_interleave(best.shape[1])
    scouting = min(SCOUTING, max_iterations) if best.shape[1] > 1 else 0
    x, value = fisher_scoring(lambda v, i: criterion(v, item[i]), x, largest_step, scouting, tolerance)
    least = value.unflatten(0, (b, -1)).argmin(1)
    x = x.unflatten(0, (b, -1))[torch.arange(b), least]
    return fisher_scoring(criterion, x, largest_step, max_iterations - scouting, tolerance)[0]

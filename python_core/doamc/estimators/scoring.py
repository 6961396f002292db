"""Damped Fisher scoring: a batched Levenberg-Marquardt descent for criteria of the covariance.

Every item has its own damping and stops on its own, so its result does not depend on the rest of the batch.
"""

from collections.abc import Callable

import torch

#: steps after which the lowest of several descents goes on alone
SCOUTING = 3

#: criterion: x (B, D), indices of its items in the batch (B,) -> value (B,), gradient (B, D), curvature (B, D, D)
Criterion = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
Evaluation = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


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
    known = criterion(start, torch.arange(len(start)))
    x, (value, _, _) = _descend(criterion, start, known, largest_step, max_iterations, tolerance)
    return x, value


def _descend(
    criterion: Criterion,
    start: torch.Tensor,  # shape: (B, D)
    known: Evaluation,  # of the criterion at the start
    largest_step: torch.Tensor,  # shape: (D,)
    max_iterations: int,
    tolerance: float,
) -> tuple[torch.Tensor, Evaluation]:
    """Steps of `fisher_scoring`; returns x (B, D) and the criterion there."""
    free = largest_step > 0
    every = bool(free.all())
    x, (value, gradient, curvature) = start, known
    x_all, known_all = start.clone(), tuple(v.clone() for v in known)
    mu = torch.full((len(start),), 1e-2, dtype=start.dtype)
    index = torch.arange(len(start))
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
        x_all[index] = x
        for whole, part in zip(known_all, (value, gradient, curvature), strict=True):
            whole[index] = part
        go = (decrease > tolerance) & (mu[index] < 1e7)
        if not go.any():
            break
        if not go.all():
            index, x, value = index[go], x[go], value[go]
            gradient, curvature = gradient[go], curvature[go]
    return x_all, (known_all[0], known_all[1], known_all[2])


def best_descent(
    criterion: Criterion,
    start: torch.Tensor,  # shape: (B, S, D)
    largest_step: torch.Tensor,  # shape: (D,)
    keep: int,
    max_iterations: int = 40,
    tolerance: float = 1e-7,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Lowest point x (B, D) reached from several starts, the value (B,) and the curvature (B, D, D) there.

    All S are scored, the best ``keep`` are descended from for a few steps, and the lowest goes on alone.
    """
    b, s, _ = start.shape
    keep = min(keep, s)
    item, x = torch.arange(b).repeat_interleave(s), start.flatten(0, 1)
    known = criterion(x, item)
    best = (known[0].unflatten(0, (b, s)).topk(keep, 1, largest=False)[1] + s * torch.arange(b)[:, None]).flatten()
    item, scouting = item[best], min(SCOUTING, max_iterations) if keep > 1 else 0
    known = (known[0][best], known[1][best], known[2][best])
    x, known = _descend(lambda v, i: criterion(v, item[i]), x[best], known, largest_step, scouting, tolerance)
    least = known[0].unflatten(0, (b, keep)).argmin(1) + keep * torch.arange(b)
    known = (known[0][least], known[1][least], known[2][least])
    x, known = _descend(criterion, x[least], known, largest_step, max_iterations - scouting, tolerance)
    return x, known[0], known[2]

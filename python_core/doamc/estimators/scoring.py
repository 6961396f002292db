"""Damped Fisher scoring: a batched Levenberg-Marquardt descent for criteria of the covariance.

Every item has its own damping and stops on its own, so its result does not depend on the rest of the batch. Inside, the
arrays are NumPy's, whose small operations cost a third of torch's.
"""

from collections.abc import Callable

import numpy as np
import torch

#: steps after which the lowest of several descents goes on alone
SCOUTING = 3

#: criterion: x (B, D), indices of its items in the batch (B,) -> value (B,), gradient (B, D), curvature (B, D, D)
Criterion = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
Evaluation = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]  #: an evaluation, as the descents hold it


@np.errstate(all="ignore")  # a trial step may leave all range: what is no number is not better
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
    x, item = start.numpy(), np.arange(len(start))
    x, (value, _, _) = _descend(
        criterion, x, item, _evaluated(criterion, x, item), largest_step.numpy(), max_iterations, tolerance
    )
    return torch.from_numpy(x), torch.from_numpy(value)


def _evaluated(criterion: Criterion, x: np.ndarray, item: np.ndarray) -> Arrays:
    value, gradient, curvature = criterion(torch.from_numpy(x), torch.from_numpy(item))
    return value.numpy(), gradient.numpy(), curvature.numpy()


def _descend(
    criterion: Criterion,
    start: np.ndarray,  # shape: (B, D)
    item: np.ndarray,  # shape: (B,), which item of the batch each start belongs to
    known: Arrays,  # of the criterion at the start
    largest_step: np.ndarray,  # shape: (D,)
    max_iterations: int,
    tolerance: float,
) -> tuple[np.ndarray, Arrays]:
    """Steps of `fisher_scoring`; returns x (B, D) and the criterion there."""
    free = np.flatnonzero(largest_step > 0)
    every, limit = len(free) == len(largest_step), largest_step[free]
    x, (value, gradient, curvature) = start, known
    x_all, known_all = start.copy(), (value.copy(), gradient.copy(), curvature.copy())
    mu, index = np.full(len(start), 1e-2), np.arange(len(start))
    diagonal = np.arange(len(free))
    for _ in range(max_iterations):
        f, g = (curvature, gradient) if every else (curvature[:, free[:, None], free], gradient[:, free])
        scale = 1 / np.sqrt(np.maximum(f[:, diagonal, diagonal], 1e-300))
        # scaled to unit diagonal, the damped matrix is 1 + mu on the diagonal
        damped = f * scale[:, :, None] * scale[:, None]
        damped[:, diagonal, diagonal] += (mu[index] + 1e-12)[:, None]
        step = -scale * _solution(damped, scale * g)
        decrease = -(g * step).sum(1)
        step = np.minimum(np.maximum(step, -limit), limit)
        tried = x + step if every else x.copy()
        if not every:
            tried[:, free] += step
        new = _evaluated(criterion, tried, item[index])
        better = new[0] < value
        if better.all():
            x, (value, gradient, curvature) = tried, new
        else:
            x, value = np.where(better[:, None], tried, x), np.where(better, new[0], value)
            gradient = np.where(better[:, None], new[1], gradient)
            curvature = np.where(better[:, None, None], new[2], curvature)
        mu[index] = np.maximum(np.where(better, mu[index] * 0.3, mu[index] * 6), 1e-9)
        x_all[index] = x
        for whole, part in zip(known_all, (value, gradient, curvature), strict=True):
            whole[index] = part
        go = (decrease > tolerance) & (mu[index] < 1e7)
        if not go.any():
            break
        if not go.all():
            index, x, value = index[go], x[go], value[go]
            gradient, curvature = gradient[go], curvature[go]
    return x_all, known_all


def _solution(matrix: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solutions (B, D) of systems that may be singular, whose solution is then no number that anything takes."""
    try:
        return np.linalg.solve(matrix, right[..., None])[..., 0]
    except np.linalg.LinAlgError:  # one of them is
        return torch.linalg.solve_ex(torch.from_numpy(matrix), torch.from_numpy(right)[..., None])[0][..., 0].numpy()


@np.errstate(all="ignore")
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
    keep, every = min(keep, s), np.arange(b)
    item, x, limit = every.repeat(s), start.flatten(0, 1).numpy(), largest_step.numpy()
    known = _evaluated(criterion, x, item)
    order = known[0].reshape(b, s).argsort(1, kind="stable")[:, :keep]
    best, scouting = (order + s * every[:, None]).ravel(), min(SCOUTING, max_iterations) if keep > 1 else 0
    at = known[0][best], known[1][best], known[2][best]
    x, at = _descend(criterion, x[best], item[best], at, limit, scouting, tolerance)
    least = at[0].reshape(b, keep).argmin(1) + keep * every
    at = at[0][least], at[1][least], at[2][least]
    x, at = _descend(criterion, x[least], every, at, limit, max_iterations - scouting, tolerance)
    return torch.from_numpy(x), torch.from_numpy(at[0]), torch.from_numpy(at[2])

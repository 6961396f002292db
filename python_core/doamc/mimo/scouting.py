"""Which directions the paths have: a few steps of maximum likelihood from several guesses, and the lowest of them.

Peaks of a dictionary may be sidelobes, or two of one path. So every choice of P among some peaks is tried; then, for
one path and one end at a time, every direction of the grid in place of the one that was found.
"""

from itertools import combinations

import torch

from doamc.estimators.scoring import fisher_scoring
from doamc.mimo.criterion import LinkLikelihood, LinkModel

MORE = 3  #: peaks beside one for every path
TRIED = 3  #: directions of a grid in place of a path's
STEPS = 12  #: of maximum likelihood, each of up to 3 degrees: guesses lie within half a beam
BLOCK = 1 << 20  #: derivatives that are held at once: memory stays bounded
WORTH = 1.0  #: gain in -2 log likelihood, about, that another direction must bring


def best_choice(
    model: LinkModel,
    received: torch.Tensor,  # shape: (S, T), complex
    peaks: torch.Tensor,  # shape: (M, A), rad: angles of arrival, then of departure, highest first
    theta: tuple[torch.Tensor, torch.Tensor],  # of either end where the paths are the first P peaks, (Q, 2 K)
    grids: tuple[torch.Tensor, torch.Tensor],  # directions of arrival and of departure, each (G, 1 or 2)
) -> torch.Tensor:
    """x (D,) near the most likely P of M peaks, or of what stands on the grids in place of one of them."""
    chosen = torch.tensor(list(combinations(range(len(peaks)), model.n_paths)))  # (C, P)
    couplings = [rows.flatten().expand(len(chosen), -1) for rows in theta]
    best, value = _lowest(model, received, torch.cat([peaks[chosen].mT.flatten(1), *couplings], 1))
    first = 0
    for angles, directions in zip((model.link.rx.n_angles, model.link.tx.n_angles), grids, strict=True):
        for path in range(model.n_paths):
            x = best.repeat(len(directions), 1)
            x[:, first + path + model.n_paths * torch.arange(angles)] = directions
            left = torch.cat([
                model.concentrated(part, received[None])[1].abs().square().sum((1, 2))
                for part in x.split(max(1, BLOCK // (received.numel() * model.n_paths)))
            ])  # fmt: skip
            tried, least = _lowest(model, received, x[left.topk(TRIED, largest=False).indices])
            if least < value - WORTH:
                best, value = tried, least
        first += angles * model.n_paths
    return best


def _lowest(model: LinkModel, received: torch.Tensor, x: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The lowest point (D,) that descents from x (C, D) reach, and its criterion."""
    ends = []
    for part in x.split(max(1, BLOCK // (received.numel() * x.shape[1]))):
        likelihood = LinkLikelihood(model, received[None].expand(len(part), -1, -1))
        ends.append(fisher_scoring(likelihood, part, model.largest_steps, STEPS))
    points, values = (torch.cat(both) for both in zip(*ends, strict=True))
    return points[int(values.argmin())], float(values.min())

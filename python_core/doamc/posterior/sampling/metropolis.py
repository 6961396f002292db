"""Metropolis-adjusted random walk on prior times likelihood: what makes the samples exact in the limit.

Proposals are Gaussian with the inverse of Fisher information plus prior precision as covariance (fixed while a stage
runs), so they are symmetric and the acceptance rule is plain Metropolis; what leaves the prior's box is rejected.
(Reflecting at the walls would not be symmetric: it turns the correlations of a step around.)
All random numbers come from tables drawn once: an item's result depends on its own data and the seed only.
"""

import torch

from doamc.likelihood.density import ExactPosterior


def random_walk(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
    current: torch.Tensor,  # shape: (B, S), log posterior at x
    increments: torch.Tensor,  # shape: (T, B, d, S)
    log_uniform: torch.Tensor,  # shape: (T, S)
    keep: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """T steps; returns the last x, its log posterior, states of the last `keep` steps (B, d, keep, S), acceptance."""
    coordinates = posterior.coordinates
    kept = []
    accepted = torch.zeros_like(current)
    steps = len(increments)
    for i in range(steps):
        new = x + increments[i]
        value = posterior.log_density(new)
        ok = log_uniform[i] < value - current
        ok.logical_and_(coordinates.inside(new))
        x = torch.where(ok[:, None], new, x)
        current = torch.where(ok, value, current)
        if i >= steps - keep:
            kept.append(x)
            accepted += ok
    return x, current, torch.stack(kept, 2), accepted / max(1, keep)

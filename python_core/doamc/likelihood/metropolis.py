"""Metropolis chains on prior times likelihood: what makes the samples exact in the limit.

Proposals are normal with the inverse of Fisher information plus prior precision for covariance, or the difference of
the starts of two chains (differential evolution: ter Braak 2006, Statistics and Computing 16, with a fixed archive).
Neither changes while the chains run, so they are symmetric and the acceptance rule is plain Metropolis; what leaves the
prior's box is rejected. (Reflecting at the walls would not be symmetric: it turns the correlations of a step around.)
All random numbers come from tables drawn once: an item's result depends on its own data and the seed only.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from doamc.likelihood.density import ExactPosterior


class MoveTables(NamedTuple):
    """Random numbers of T steps of S chains that all observations share.

    normal (T, d, S): increments before the covariance factors. difference (T,) int64: index of a differential-evolution
    move, or -1 where a step is normal. Of each of M such moves scale (M,), a factor on the difference of the starts of
    two chains, pairs (M, 2, S) int64. log_uniform (T, S): what decides.
    """

    normal: torch.Tensor
    difference: torch.Tensor
    scale: torch.Tensor
    pairs: torch.Tensor
    log_uniform: torch.Tensor


@dataclass(frozen=True)
class ChainRun:
    """What chains leave.

    x: (B, d, S) their last points, value (B, S) the log posterior there. kept: (B, d, keep, S) the states of the last
    steps. acceptance: (B, S), 0..1, over these.
    """

    x: torch.Tensor
    value: torch.Tensor
    kept: torch.Tensor
    acceptance: torch.Tensor


def run_chains_by_tensors(
    posterior: "ExactPosterior",
    x: torch.Tensor,  # shape: (B, d, S)
    value: torch.Tensor,  # shape: (B, S), log posterior at x
    factors: torch.Tensor,  # shape: (B, S, d, d), of the proposals' covariances
    tables: MoveTables,
    keep: int,
) -> ChainRun:
    """All steps by tensor operations: the reference of the compiled loop, and what runs on other devices."""
    coordinates = posterior.coordinates
    increments = (factors @ tables.normal.permute(2, 1, 0)).permute(3, 0, 2, 1).contiguous()  # (T, B, d, S)
    if len(tables.scale):
        apart = x[:, :, tables.pairs[:, 0]] - x[:, :, tables.pairs[:, 1]]  # (B, d, M, S)
        increments[tables.difference >= 0] = (apart * tables.scale[:, None]).permute(2, 0, 1, 3)
    kept = []
    accepted = torch.zeros_like(value)
    steps = len(increments)
    for i in range(steps):
        new = x + increments[i]
        fresh = posterior.log_density(new)
        ok = tables.log_uniform[i] < fresh - value
        ok.logical_and_(coordinates.inside(new))
        x = torch.where(ok[:, None], new, x)
        value = torch.where(ok, fresh, value)
        if i >= steps - keep:
            kept.append(x)
            accepted += ok
    return ChainRun(x, value, torch.stack(kept, 2), accepted / max(1, keep))

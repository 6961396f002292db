"""Proposals weighted by the exact likelihood, tempered: step 3 of the posterior."""

from dataclasses import dataclass

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.sampling.resampling import gather, systematic

EFFECTIVE_SHARE = 0.25  #: of the proposals that stay effective: fewer say too little of where the posterior is
HIGHEST_POWER = 0.5  #: of the likelihood: its square root, which keeps what a proposal a little off its mode stands for


@dataclass(frozen=True)
class WeightedProposals:
    """What the likelihood makes of proposals.

    weight: (B, S) of each, in sum one. x: (B, d, C) points resampled by them, where the chains of a broad posterior
    start; value (B, C) their log posterior.
    """

    weight: torch.Tensor
    x: torch.Tensor
    value: torch.Tensor


def weigh(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
    value: torch.Tensor,  # shape: (B, S), log posterior at x
    samples: int,
    comb: torch.Tensor,  # shape: (C,)
) -> WeightedProposals:
    """Weights by the power of the posterior that leaves a quarter of `samples` effective, at most its square root."""
    power = posterior.backend.tempering(value, EFFECTIVE_SHARE * samples, HIGHEST_POWER)
    weight = torch.softmax(power[:, None] * (value - value.max(1, keepdim=True)[0]), 1)
    index = systematic(weight, comb)
    return WeightedProposals(weight, gather(x, index), value.gather(1, index))

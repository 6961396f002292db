"""Where chains start: around modes, at weighted proposals, or at draws from the prior."""

from dataclasses import dataclass

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import covariance_factors
from doamc.posterior.proposals.mode_draws import ModeStarts
from doamc.posterior.proposals.prior_draws import PriorSample
from doamc.posterior.proposals.weights import WeightedProposals


@dataclass(frozen=True)
class ChainStarts:
    """Where chains start.

    x: (B, d, S) points, value (B, S) their log posterior. factors: (B, S, d, d) of the covariances of the chains'
    proposals. localised: (B,), whether an observation's chains start around modes.
    """

    x: torch.Tensor
    value: torch.Tensor
    factors: torch.Tensor
    localised: torch.Tensor


def choose_starts(
    posterior: ExactPosterior,
    localised: torch.Tensor,  # shape: (B,)
    near: ModeStarts,
    weighted: WeightedProposals,
    prior: PriorSample | None,
) -> ChainStarts:
    """Draws around the modes where localised, else weighted proposals; a prior sample where it can be relied on."""
    x, value = weighted.x, weighted.value
    if prior is not None:
        x = torch.where(prior.reliable[:, None, None], prior.x, x)
        value = torch.where(prior.reliable[:, None], prior.value, value)
        localised = localised & ~prior.reliable
    factors = near.factors
    if not bool(localised.all()):
        factors = torch.where(localised[:, None, None, None], factors, covariance_factors(posterior, x))
    x = torch.where(localised[:, None, None], near.x, x)
    return ChainStarts(x, torch.where(localised[:, None], near.value, value), factors, localised)

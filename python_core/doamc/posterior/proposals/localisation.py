"""Modes of the posterior by damped Fisher scoring, and whether proposals were too broad for it: step 4."""

from dataclasses import dataclass

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import search_modes
from doamc.posterior.options import Options
from doamc.posterior.sampling.resampling import gather

LARGEST_DEFICIT = 1e6  #: nats: a proposal outside the prior's support lies infinitely low, and weighs nothing


@dataclass(frozen=True)
class FoundModes:
    """Points x (B, d, G) that the mode search found, and their log posterior value (B, G)."""

    x: torch.Tensor
    value: torch.Tensor

    def deficit(self, weight: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """How many nats (B,) weighted proposals, of log posterior value (B, S), lie below the best mode on average.

        For samples of a normal posterior in d dimensions that is d / 2; much more means that all of them are far from
        where the posterior's mass is.
        """
        best = self.value.max(1, keepdim=True)[0]
        return (weight * (best - value).clamp_max(LARGEST_DEFICIT)).sum(1)


def find_modes(
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S), proposals
    value: torch.Tensor,  # shape: (B, S), their log posterior
    classical: torch.Tensor,  # shape: (B, d, Q), starts by rank reduction
    options: Options,
) -> FoundModes:
    """Mode search from the best proposals and from classical starts.

    Where there are no more snapshots than sources, rank reduction means nothing and the best proposals stand in.
    """
    top, order = value.topk(options.search_starts, 1)
    usable = (posterior.snapshots > posterior.coordinates.n_sources)[:, None]
    extra = torch.where(usable, classical, gather(x, order[:, : classical.shape[2]]))
    first = torch.cat([gather(x, order), extra], 2)
    level = torch.cat([top, posterior(extra)], 1)
    return FoundModes(*search_modes(posterior, first, level, options.search_steps, options.survivors))

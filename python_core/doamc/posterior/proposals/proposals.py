"""What is proposed: points from which weights and modes are found."""

from dataclasses import dataclass

import torch

from doamc.posterior.proposals.prior_draws import PriorSample


@dataclass(frozen=True)
class Proposals:
    """Where the posterior may be.

    x: (B, d, S) points, value (B, S) their log posterior. classical: (B, d, Q) starts by rank reduction.
    prior: of draws from the prior, where there are some.
    """

    x: torch.Tensor
    value: torch.Tensor
    classical: torch.Tensor
    prior: PriorSample | None

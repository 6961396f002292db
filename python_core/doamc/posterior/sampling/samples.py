"""Posterior samples of a batch, as the chains leave them."""

from dataclasses import dataclass

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior


@dataclass
class Samples:
    """Posterior samples of B observations, x (B, d, n).

    log_mass: (B,), log integral of prior times likelihood up to the prior's volume, NaN where it is not known.
    best: (B, d), the likeliest point that was found. independent: (B,), how many independent samples they are worth at
    least.
    """

    coordinates: Coordinates
    posterior: ExactPosterior
    x: torch.Tensor
    log_mass: torch.Tensor
    best: torch.Tensor
    independent: torch.Tensor

    def select(self, index: torch.Tensor) -> "Samples":
        """Samples of some of the observations."""
        own = self.x[index], self.log_mass[index], self.best[index], self.independent[index]
        return Samples(self.coordinates, self.posterior.select(index), *own)

"""Posterior samples of a batch, as the chains leave them."""

from dataclasses import dataclass

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior


@dataclass
class Samples:
    """Posterior samples of B observations, x (B, d, n), and how the chains that made them fared.

    acceptance: (B, S) of the chains, 0..1. localised: (B,), whether they started around modes.
    """

    coordinates: Coordinates
    posterior: ExactPosterior
    x: torch.Tensor
    acceptance: torch.Tensor
    localised: torch.Tensor

    def select(self, index: torch.Tensor) -> "Samples":
        """Samples of some of the observations."""
        posterior = self.posterior.select(index)
        return Samples(self.coordinates, posterior, self.x[index], self.acceptance[index], self.localised[index])

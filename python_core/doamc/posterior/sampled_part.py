"""Samples of some observations of a batch, with what was done to these before."""

from dataclasses import dataclass, replace

import torch

from doamc.posterior.sampling.samples import Samples


@dataclass
class SampledPart:
    """Some observations of a batch: their places, samples, the gain (n,) applied to their covariance, effective L.

    kind: of coupling that the samples assume, where the prior has several, and the log of its prior probability.
    """

    index: torch.Tensor
    samples: Samples
    gain: torch.Tensor
    length: torch.Tensor
    log_share: float = 0.0
    kind: int = 0

    def select(self, index: torch.Tensor) -> "SampledPart":
        """Some of the observations."""
        picked = self.samples.select(index)
        return replace(self, index=self.index[index], samples=picked, gain=self.gain[index], length=self.length[index])

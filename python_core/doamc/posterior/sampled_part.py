"""Samples of some observations of a batch, with what was done to these before."""

from dataclasses import dataclass

import torch

from doamc.posterior.sampling.samples import Samples


@dataclass
class SampledPart:
    """Some observations of a batch: their places, samples, the gain (n,) applied to their covariance, effective L.

    log_share: log prior probability of the kind of coupling that the samples assume.
    """

    index: torch.Tensor
    samples: Samples
    gain: torch.Tensor
    length: torch.Tensor
    log_share: float = 0.0

    def select(self, index: torch.Tensor) -> "SampledPart":
        """Some of the observations."""
        return SampledPart(
            self.index[index], self.samples.select(index), self.gain[index], self.length[index], self.log_share
        )

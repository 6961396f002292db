"""Samples of some observations of a batch, with what was done to these before."""

from dataclasses import dataclass, field, replace

import torch

from doamc.posterior.sampling.samples import Samples


@dataclass
class SampledPart:
    """Some observations of a batch: their places, samples, the gain (n,) applied to their covariance, effective L.

    log_share: log prior probability of the kind of coupling that the samples assume. kinds: the parts, one for every
    kind, that samples over several kinds are mixed from, and log_evidence (n,) of all these; empty and None else.
    """

    index: torch.Tensor
    samples: Samples
    gain: torch.Tensor
    length: torch.Tensor
    log_share: float = 0.0
    kinds: "list[SampledPart]" = field(default_factory=list)
    log_evidence: torch.Tensor | None = None

    def select(self, index: torch.Tensor) -> "SampledPart":
        """Some of the observations."""
        return SampledPart(
            self.index[index], self.samples.select(index), self.gain[index], self.length[index], self.log_share,
            [part.select(index) for part in self.kinds],
            None if self.log_evidence is None else self.log_evidence[index],
        )  # fmt: skip

    def of_whole(self, places: torch.Tensor) -> "SampledPart":
        """The same part of a larger batch, in which the observations of this one have these places."""
        return replace(self, index=places[self.index])

"""What the sampler is given: sample covariances of a batch, brought to the level of the prior."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Observations:
    """What was received, at the level of the prior.

    covariance: (B, N, N) of samples. snapshots: (B,) effective L. noise_power: (B,), where known. power_margin_db: by
    how much the prior over source powers is widened at both ends.
    """

    covariance: torch.Tensor
    snapshots: torch.Tensor
    noise_power: torch.Tensor | None
    power_margin_db: float = 0.0

    def select(self, index: torch.Tensor) -> "Observations":
        """Some of the observations."""
        noise = None if self.noise_power is None else self.noise_power[index]
        return Observations(self.covariance[index], self.snapshots[index], noise, self.power_margin_db)

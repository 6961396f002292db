"""Scenes drawn from the prior and weighted by the likelihood: what a broad posterior is found with.

Where the data say little, a few thousand prior scenes hold enough good ones that resampling them by their likelihood
gives samples of the posterior, minor modes and all. Where they say more, only a handful
count, and the draws are but another source of starting points. The noise power, whose prior is so wide that nothing
would be hit, is drawn around what the small eigenvalues say, and the weights make up for it.
"""

import math
from dataclasses import dataclass

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.sampling.resampling import gather, systematic
from doamc.snapshots.noise_level import mean_of_smallest, unbiased_noise_power

EFFECTIVE_SHARE = 0.5  #: effective scenes per point drawn, from which on the importance sampling can be relied on
NOISE_WIDTHS = (
    2.0  #: standard deviations of the eigenvalues' noise power that its draws are wide: tails wider than theirs
)
UNTEMPERED = 1.0 - 1e-9  #: power of the likelihood from which on the weights are those of importance sampling itself


@dataclass(frozen=True)
class PriorSample:
    """What the likelihood makes of prior scenes.

    best: (B, d, G) the best ones, best_value (B, G) their log posterior. x: (B, d, C) resampled by their weights, with
    value (B, C). reliable: (B,), whether enough scenes count for the resampled ones to be samples of the posterior.
    """

    best: torch.Tensor
    best_value: torch.Tensor
    x: torch.Tensor
    value: torch.Tensor
    reliable: torch.Tensor


class PriorDraws:
    """A fixed number of scenes drawn from the prior; the tables are drawn once, from the seed."""

    def __init__(self, size: int, dimension: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.uniform = torch.rand(dimension, size, generator=generator, dtype=torch.float64).to(device)
        self.normal = torch.randn(dimension, size, generator=generator, dtype=torch.float64).to(device)

    def __call__(
        self,
        posterior: ExactPosterior,
        best: int,
        comb: torch.Tensor,  # shape: (C,)
    ) -> PriorSample:
        """The best scenes, and importance sampling by all of them, tempered where too few count."""
        parts = []
        for i in range(len(posterior.covariance)):  # one at a time: there are many scenes
            one = posterior.select(slice(i, i + 1))
            x, log_weight = self._draw(one)
            value = one(x)
            log_weight = log_weight + value
            top, index = value.topk(best, 1)
            power = one.backend.tempering(log_weight, EFFECTIVE_SHARE * len(comb), 1.0)
            drawn = systematic(torch.softmax(power[:, None] * log_weight, 1), comb)
            parts.append((gather(x, index), top, gather(x, drawn), value.gather(1, drawn), power >= UNTEMPERED))
        return PriorSample(*(torch.cat(same) for same in zip(*parts, strict=True)))

    def _draw(self, posterior: ExactPosterior) -> tuple[torch.Tensor, torch.Tensor]:
        """Points (1, d, S) and the log of prior over proposal (1, S), up to a constant."""
        coordinates = posterior.coordinates
        d, s = coordinates.size, self.uniform.shape[1]
        x = (coordinates.low[:, None] + (coordinates.high - coordinates.low)[:, None] * self.uniform[:d])[None]
        log_weight = torch.zeros(1, s, dtype=x.dtype, device=x.device)
        if coordinates.n_normal:  # their prior is in the log posterior, too
            x[:, coordinates.normal] = self.normal[coordinates.normal]
            log_weight -= coordinates.log_prior(x)
        n, p = posterior.covariance.shape[-1], coordinates.n_sources
        count = float(posterior.snapshots[0, 0])
        if coordinates.unknown_noise and count >= n:
            place = coordinates.noise_place
            small = unbiased_noise_power(mean_of_smallest(posterior.eigen[0], p), count, p)
            width = NOISE_WIDTHS / math.sqrt(count * (n - p))
            z = self.normal[place]
            x[:, place] = small.log() + width * z
            log_weight += 0.5 * z.square()
        return x, log_weight

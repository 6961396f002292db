"""Scenes spread over the prior: where a search for modes begins beside rank reduction."""

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.separation import separate
from doamc.snapshots.noise_level import mean_of_smallest, unbiased_noise_power


class PriorScenes:
    """So many scenes of uncorrelated sources; the tables are drawn once, from the seed."""

    def __init__(self, size: int, dimension: int, seed: int, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.uniform = torch.rand(dimension, size, generator=generator, dtype=torch.float64).to(device)
        self.normal = torch.randn(dimension, size, generator=generator, dtype=torch.float64).to(device)

    def __call__(self, posterior: ExactPosterior) -> torch.Tensor:
        """Points (B, d, S); where there are snapshots enough the noise power is that of the small eigenvalues."""
        coordinates, covariance = posterior.coordinates, posterior.covariance
        low, high = coordinates.low[:, None], coordinates.high[:, None]
        x = (low + (high - low) * self.uniform[: coordinates.size])[None].repeat(len(covariance), 1, 1)
        x[:, coordinates.normal] = self.normal[coordinates.normal]
        if not coordinates.spec.elevated:  # on the sphere few stand too close, and those weigh nothing
            azimuth = coordinates.split(x)[3]  # a view
            azimuth.copy_(separate(azimuth.transpose(1, 2).sort(-1)[0], coordinates).transpose(1, 2))
        if coordinates.unknown_noise:
            p, snapshots, place = coordinates.n_sources, posterior.snapshots[:, 0], coordinates.noise_place
            noise = unbiased_noise_power(mean_of_smallest(posterior.eigen[0], p), snapshots, p).log()
            enough = snapshots >= covariance.shape[-1]
            x[:, place] = torch.where(enough[:, None], noise[:, None], x[:, place])
        return coordinates.clip(x)

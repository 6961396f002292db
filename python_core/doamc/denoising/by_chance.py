"""Samples of correlated sources taken for independent emitters, whose waveforms are correlated by chance."""

from dataclasses import replace

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.posterior.sampled_part import SampledPart


def places_of_scene(c: Coordinates) -> torch.Tensor:
    """Where in points of correlated sources all that is no correlation lies, (d,)."""
    pairs = c.n_pairs
    first = c.n_sources + c.n_flat
    place = torch.arange(c.size, device=c.low.device)
    return place[(place < first) | ((place >= first + pairs) & (place < c.size - pairs))]


def uncorrelated(part: SampledPart) -> SampledPart:
    """The same samples without the correlation, under the posterior of uncorrelated sources."""
    c, posterior = part.samples.coordinates, part.samples.posterior
    keep = places_of_scene(c)
    plain = Coordinates(c.spec, c.n_sources, c.unknown_noise, c.low[keep], c.high[keep], c.wraps[keep])
    of_plain: ExactPosterior = posterior.replaced(plain, posterior.snapshots[:, 0])
    samples = replace(
        part.samples, coordinates=plain, posterior=of_plain, x=part.samples.x[:, keep], best=part.samples.best[:, keep]
    )
    return replace(part, samples=samples, kinds=[])


def correlated_again(part: SampledPart, x: torch.Tensor, which: torch.Tensor) -> SampledPart:
    """A part of correlated sources with uncorrelated samples x (B, d, n) for some of its observations, (B,) bool."""
    moved = torch.zeros_like(part.samples.x)  # no correlation is an angle of zero
    moved[:, places_of_scene(part.samples.coordinates)] = x
    kept = torch.where(which[:, None, None], moved, part.samples.x)
    return replace(part, samples=replace(part.samples, x=kept))

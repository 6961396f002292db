"""Broad posteriors: found by the width of their samples, and given longer chains."""

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import covariance_factors
from doamc.posterior.report.directions import align_directions
from doamc.posterior.report.source_order import align
from doamc.posterior.sampling.chains import MetropolisChains

#: samples on the sphere, of which one is looked at: no divisor of the number of chains, which follow each other
EVERY = 5


def azimuth_width(x: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Largest standard deviation (B,) of the azimuths, and elevations, of samples x (B, d, n), rad."""
    if coordinates.spec.elevated:
        return align_directions(x[:, :, ::EVERY], coordinates).plane.std(2).amax(1)
    return align(coordinates.split(x)[3], coordinates)[0].std(2).amax(1)


def settled_steps(steps: int) -> int:
    """Of the steps of chains that go on, those whose states count: the first third is for finding the way."""
    return steps * 2 // 3


def longer_samples(
    chains: MetropolisChains,
    posterior: ExactPosterior,
    x: torch.Tensor,  # shape: (B, d, S)
    value: torch.Tensor,  # shape: (B, S)
    count: int,
) -> torch.Tensor:
    """Samples (B, d, count) of chains that go on from x, for posteriors that are wide or in several places.

    States are kept evenly over the settled steps; count is a multiple of S.
    """
    each = count // x.shape[2]
    stride = max(1, settled_steps(chains.steps) // each)
    kept = chains(posterior, x, value, covariance_factors(posterior, x), stride * each).kept
    return kept[:, :, stride - 1 :: stride].flatten(2)

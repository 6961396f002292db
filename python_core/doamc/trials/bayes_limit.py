"""The Bayes limit of a few scenes by Metropolis chains that start at the truth."""

import torch

from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.metropolis import MoveTables
from doamc.likelihood.mode_search import covariance_factors
from doamc.likelihood.scene_points import scene_points
from doamc.scenes.prior import Scene

PART = 16  #: observations whose chains run at once: many steps are kept of each


@torch.no_grad()
def samples_from_truth(
    posterior: ExactPosterior, scene: Scene, tables: MoveTables, keep: int, every: int = 1
) -> torch.Tensor:
    """Samples (B, d, n) of chains that start at the true scenes: of their last `keep` states, one in `every`.

    What is made of them is an upper estimate of the limit, since a chain that starts at the truth knows where it is.
    """
    start, samples = scene_points(posterior.coordinates, scene), []
    for places in torch.arange(len(start)).split(PART):
        part, x = posterior.select(places), start[places]
        chains = tables.log_uniform.shape[1]
        factors = covariance_factors(part, x).expand(-1, chains, -1, -1)
        x = x.expand(-1, -1, chains).contiguous()
        kept = part.backend.run_chains(x, part(x), factors, tables, keep).kept
        samples.append(posterior.coordinates.wrap(kept[:, :, ::every].flatten(2)))
    return torch.cat(samples)

"""How narrow a posterior is that has all the time it wants: long chains that begin at the truth."""

import torch

from doamc.posterior.options import Options
from doamc.posterior.report.summary import summarise
from doamc.posterior.sampled_part import SampledPart
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.scenes import Scene
from doamc.trials.bayes_limit import samples_from_truth
from doamc.trials.ranks import scene_of

STEPS = 480  #: eight times as many as the sampler's own; the first third is for forgetting the truth


def limit_std(part: SampledPart, scene: Scene, seed: int) -> torch.Tensor:
    """Deviations (B, P) in rad, 90 % half-widths over 1.645, of the azimuths of a part's scenes.

    Where a posterior has several modes these chains know which is the right one, and are too narrow.
    """
    posterior, o = part.samples.posterior, Options()
    scales = o.proposal_scales, o.difference_scales
    chains = MetropolisChains(o.chains, posterior.coordinates.size, STEPS, *scales, seed, torch.device("cpu"))
    x = samples_from_truth(posterior, scene_of(part, scene), chains.tables, 2 * STEPS // 3, 8)
    return summarise(x, posterior.coordinates).std

"""How badly a batch fits its posterior."""

import torch

from doamc.estimators.misfit import Misfit, misfit_of_samples
from doamc.posterior.sampled_part import SampledPart
from doamc.snapshots.effective_snapshots import Lengths

LOOKED_AT = 16  #: samples: their average says what that of all would, to a tenth of a standard deviation


def misfit_of(part: SampledPart, lengths: Lengths) -> Misfit:
    """Misfit of observations that were sampled, whose covariance has these effective lengths."""
    posterior, x = part.samples.posterior, part.samples.x
    # a step that is no whole number: chains stand side by side, and a whole one may meet the same chain throughout
    place = torch.linspace(0, x.shape[2] - 1, LOOKED_AT, dtype=torch.float64).long()
    x = x[:, :, place.to(x.device)]
    v = posterior.response(x)
    noise = posterior.noise_power(x).expand(v.shape[:2])
    return misfit_of_samples(posterior.covariance, v, noise, lengths, part.length)

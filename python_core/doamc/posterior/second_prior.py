"""Which prior an answer comes from: that of the specification, or the wide one where the batch does not fit that.

A wide prior costs nothing where it is not used: on scenes of the specification's prior one batch in 500 is doubtful.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from doamc.estimators.base import Estimates
from doamc.estimators.engine import join

PRIORS = ("auto", "narrow", "wide")  #: choices of the option
#: share of the misfit under the narrow prior, below which the wide one is taken though it is doubtful, too
FAR_LESS = 0.1


def or_wide(first: Estimates, again: Callable[[torch.Tensor], Estimates]) -> Estimates:
    """First estimates of a batch, and for those that are doubtful what `again` makes of them where it explains them.

    again: estimates under the wide prior of the observations with these places.
    """
    first = replace(first, wide_prior=torch.zeros(len(first.n_sources), dtype=torch.bool))
    if first.doubtful is None or first.misfit is None:
        return first
    places = first.doubtful.cpu().nonzero()[:, 0]
    if not len(places):
        return first
    second = again(places)
    if second.doubtful is None or second.misfit is None:
        return first
    taken = ~second.doubtful | (second.misfit < FAR_LESS * first.misfit[places.to(first.misfit.device)])
    taken = taken.cpu()
    kept = torch.ones(len(first.n_sources), dtype=torch.bool)
    kept[places[taken]] = False
    if not taken.any():
        return first
    index = torch.cat([kept.nonzero()[:, 0], places[taken]])
    parts = [(first, kept.nonzero()[:, 0]), (second, taken.nonzero()[:, 0])]
    return join([e.select(some) for e, some in parts if len(some)]).select(index.argsort())

"""Which prior an answer comes from: that of the specification, or the wide one where the batch does not fit that.

A wide prior costs nothing where it is not used: on scenes of the specification's prior one batch in 500 is doubtful.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from doamc.estimators.base import Estimates
from doamc.estimators.joined import join

PRIORS = ("auto", "narrow", "wide")  #: choices of the option
#: share of the misfit under the narrow prior, below which the wide one is taken though it is doubtful, too
FAR_LESS = 1 / 3


def or_wide(first: Estimates, again: Callable[[torch.Tensor], Estimates]) -> Estimates:
    """First estimates of a batch, and for those that are doubtful what `again` makes of them where it explains them.

    again: estimates under the wide prior of the observations with these places.
    """
    first = _marked(first, False)
    if first.doubtful is None or first.misfit is None:
        return first
    places = first.doubtful.cpu().nonzero()[:, 0]
    if not len(places):
        return first
    second = _marked(again(places), True)
    if second.doubtful is None or second.misfit is None:
        return first
    far_less = second.misfit < FAR_LESS * first.misfit[places.to(first.misfit.device)]
    taken = (~second.doubtful | far_less).cpu()
    if not taken.any():
        return first
    kept = torch.ones(len(first.n_sources), dtype=torch.bool)
    kept[places[taken]] = False
    index = torch.cat([kept.nonzero()[:, 0], places[taken]])
    parts = [first.select(kept), second.select(taken)]
    return join([e for e in parts if len(e.n_sources)]).select(index.argsort())


def _marked(e: Estimates, wide: bool) -> Estimates:
    return replace(e, wide_prior=torch.full((len(e.n_sources),), wide))

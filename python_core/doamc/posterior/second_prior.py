"""Which prior an answer comes from: that of the specification, or the wide one where the batch does not fit that.

A wide prior costs nothing where it is not used: on scenes of the specification's prior one batch in 500 is doubtful.
"""

from collections.abc import Callable
from dataclasses import replace

import torch

from doamc.estimators.estimates import Estimates
from doamc.estimators.second_answer import or_second

PRIORS = ("auto", "narrow", "wide")  #: choices of the option


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
    return or_second(first, _marked(again(places), True), places)[0]


def _marked(e: Estimates, wide: bool) -> Estimates:
    return replace(e, wide_prior=torch.full((len(e.n_sources),), wide))

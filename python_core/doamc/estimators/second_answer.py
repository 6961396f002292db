"""Whether a second estimate of what does not fit takes the place of the first: where it explains the batch."""

import torch

from doamc.estimators.estimates import Estimates
from doamc.estimators.joined import join

#: share of the first misfit below which the second estimate is taken though it is doubtful, too
FAR_LESS = 1 / 3


def or_second(
    first: Estimates,
    second: Estimates,
    places: torch.Tensor,  # shape: (M,), int64
) -> tuple[Estimates, torch.Tensor]:
    """First estimates, with the second ones of some observations in the place of theirs where those fit far better.

    second: of the M observations with these places. Returns also which of the M were taken, (M,) bool.
    """
    if first.misfit is None or second.doubtful is None or second.misfit is None:
        return first, torch.zeros(len(places), dtype=torch.bool)
    far_less = second.misfit < FAR_LESS * first.misfit[places.to(first.misfit.device)]
    taken = (~second.doubtful | far_less).cpu()
    if not taken.any():
        return first, taken
    kept = torch.ones(len(first.n_sources), dtype=torch.bool)
    kept[places[taken]] = False
    index = torch.cat([kept.nonzero()[:, 0], places[taken]]).argsort()
    parts = [first.select(kept), second.select(taken)]
    return join([e for e in parts if len(e.n_sources)]).select(index), taken

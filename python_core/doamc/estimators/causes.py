"""What explains a batch that does not fit: `fit.cause`.

What the samples themselves show comes first: impulses by the kurtosis of a channel, a converter's offset by its line
at 0 Hz. Then models beside that of the specification are fitted (`explanations`). Several causes at once, or another
one, stay "unknown".
"""

import math

import torch

from doamc.estimators.cause_names import IMPULSES, OFFSET, UNKNOWN
from doamc.estimators.doubted import Explanation
from doamc.estimators.estimates import Estimates
from doamc.estimators.explanations import explanation
from doamc.estimators.remedies import Remedy
from doamc.estimators.walls import which_wall
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.look import Look
from doamc.spec import ArraySpec

KURTOSIS = 4.0  #: of a channel; normal noise has 2, with a standard deviation of sqrt(20 / L), and carriers less
LINE = 8.0  #: power at 0 Hz over that beside it, in the median channel


def causes_of(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> torch.Tensor:
    """Numbers (B,) int64 of what explains each observation: 0 where it fits the prior of the specification."""
    return torch.tensor([found.cause for found in explanations_of(spec, batch, e)], dtype=torch.int64)


def explanations_of(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> list[Explanation]:
    """What explains each observation; cause 0 where it fits the prior of the specification."""
    found = [Explanation(0)] * batch.size
    doubtful = e.doubtful
    for i in [] if e.wide_prior is None else e.wide_prior.nonzero()[:, 0].tolist():
        heard = e.power[i] > e.noise_power[i] / spec.n_elements  # what is not may lie anywhere
        wall = which_wall(spec, e.azimuth[i, heard], None if e.elevation is None else e.elevation[i, heard])
        found[i] = Explanation(wall)
    doubted = [] if doubtful is None else [int(i) for i in doubtful.numpy().nonzero()[0]]
    # blind to coupling, a method is doubtful in every batch: no search each time
    blind = bool(doubted) and spec.family.n_parameters > 0 and not e.coupled
    for i in doubted:
        cause = _seen_in_samples(batch.look, i)
        here = slice(i, i + 1)
        if cause == OFFSET:
            found[i] = Explanation(cause, (Remedy(cause, torch.arange(spec.n_elements), offset=True),))
        elif cause or blind:
            found[i] = Explanation(cause or UNKNOWN)
        else:
            found[i] = explanation(spec, batch.select(here), e.select(here))
    return found


def _seen_in_samples(look: Look, item: int) -> int:
    """Impulses or an offset in what a look at the samples of an observation found; 0 for neither."""
    if look.kurtosis[item] > KURTOSIS + math.sqrt(20 / look.heard[item]):
        return IMPULSES
    return OFFSET if look.line[item] > LINE else 0

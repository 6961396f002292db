"""One channel that is off, or two that are swapped: each must explain a batch alone among all of its kind.

There are N of the one kind and N (N - 1) / 2 of the other.
"""

import math

import torch

from doamc.coupling.family import CouplingFamily
from doamc.estimators.beams import from_nothing
from doamc.estimators.cause_names import CAUSES, CHANNEL, swapped
from doamc.estimators.doubted import EXPLAINED, Doubted, Explanation
from doamc.estimators.remedies import Remedy

DISTINCT = 2.0  #: times the misfit without the channel that is off, the least without another one
SURE_NATS = 5.0  #: by which the likeliest pair of swapped channels must lead: odds of 150 to one
MOST_CHANNELS = 12  #: of which pairs are tried
DRAWS = 4  #: couplings of the prior to start from, where channels may be swapped
MOST_ALIKE = 2  #: pairs that explain a batch alike
FEWEST_CHANNELS = 2  #: more than sources, with which something can be told of a channel


def one_off(d: Doubted, enough: float) -> Explanation | None:
    """One channel, without which the others fit."""
    n = d.spec.n_elements
    if n <= d.p + FEWEST_CHANNELS:
        return None
    others = torch.stack([torch.cat([torch.arange(c), torch.arange(c + 1, n)]) for c in range(n)])
    again = from_nothing(d.free, d.covariance[others[:, :, None], others[:, None]], others)
    starts = torch.stack([d.start.expand(n, -1), again], 1)
    fitted = d.free.fit(d.covariance, d.lengths, starts, others)
    best, second = fitted.misfit.misfit.nan_to_num(math.inf).topk(2, largest=False)[0].tolist()
    if best >= enough or second <= max(DISTINCT * best, EXPLAINED):
        return None
    c = int(fitted.misfit.misfit.nan_to_num(math.inf).argmin())
    power = float((d.level * fitted.x[c, -1].exp()).float())
    return Explanation(CHANNEL + c, (Remedy(CHANNEL + c, d.everything[0], silent=c, noise_power=power),))


def two_swapped(d: Doubted) -> Explanation | None:
    """Two channels, each in the place of the other.

    On a circle of five any such swap is another one and a mirror image of all bearings: two that explain the batch
    alike are both named.
    """
    n = d.spec.n_elements
    if not d.p + FEWEST_CHANNELS < n <= MOST_CHANNELS or d.spec.elevated:
        return None
    first, second = torch.triu_indices(n, n, 1)
    streams = d.everything.repeat(len(first), 1)
    item = torch.arange(len(first))
    streams[item, first], streams[item, second] = second, first
    place = d.everything.expand(len(first), -1)
    heard = d.covariance[streams[:, :, None], streams[:, None]]
    starts = torch.stack([from_nothing(d.free, heard, place, theta=theta) for theta in _couplings(d.spec.family)], 1)
    fitted = d.free.fit(d.covariance, d.lengths, starts, place, streams)
    cost, order = fitted.cost.nan_to_num(math.inf).sort()
    alike = order[: int((cost < cost[0] + SURE_NATS).sum())].tolist()
    if float(fitted.misfit.misfit[alike[0]]) >= d.enough or len(alike) > MOST_ALIKE:
        return None
    one = swapped(int(first[alike[0]]), int(second[alike[0]]))
    cause = one if len(alike) == 1 else CAUSES.index("channels swapped")
    return Explanation(cause, tuple(Remedy(cause, streams[i]) for i in sorted(alike)))


def _couplings(family: CouplingFamily) -> torch.Tensor:
    """Parameters (S, K) to start from: none, and where the prior says little, some of it."""
    none = torch.zeros(1, family.n_parameters, dtype=torch.float64)
    if family.narrow:
        return none
    return torch.cat([none, family.draw((DRAWS,), torch.Generator().manual_seed(0))])

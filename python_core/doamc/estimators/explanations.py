"""Models beside that of the specification, one of which may explain a batch: what is wrong, and how it is undone.

They are fitted one after the other, starting from estimates that are doubtful; the first that the batch fits is the
explanation. Of those that do much the same, one more source and noise that channels share, the likelier is, each
parameter paid with log(L) / 2.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

from doamc.estimators.beams import from_nothing, moved, with_one_more
from doamc.estimators.cause_names import CAUSES, COHERENT, UNKNOWN
from doamc.estimators.channel_faults import one_off, two_swapped
from doamc.estimators.doubted import EXPLAINED, Doubted, Explanation, doubted
from doamc.estimators.estimates import Estimates
from doamc.estimators.hypotheses import Hypothesis
from doamc.estimators.remedies import Remedy
from doamc.estimators.walls import directions, which_wall
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

SHARE = 0.05  #: of the misfit of the estimates that may be left, too
NOISES = {"channels": "unequal noise", "shared": "coloured noise", "common": "common mode"}  #: their causes


@dataclass(frozen=True)
class _Rival:
    """A model that explains an observation, with its cost and misfit."""

    cost: float
    misfit: float
    explanation: Explanation


def explanation(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> Explanation:
    """What explains one observation whose estimates are doubtful."""
    d = None if e.misfit is None else doubted(spec, batch, e, max(EXPLAINED, SHARE * float(e.misfit)))
    if d is None:
        return Explanation(UNKNOWN)
    steps: list[Callable[[Doubted], Explanation | None]] = [_noise_alone] if d.counted else []
    if d.p:
        steps += [_other_places, _coherent, _one_more, _unequal_or_off, two_swapped]
    return next((found for step in steps if (found := step(d)) is not None), Explanation(UNKNOWN))


def channel_noise(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> tuple[Remedy, ...]:
    """The remedy for a noise power of each channel's own, of one observation; none where it cannot be found."""
    d = doubted(spec, batch, e, enough=math.inf)
    found = _noise(d, "channels", d.p) if d is not None and d.p else None
    return () if found is None else found.explanation.remedies


def _noise_alone(d: Doubted) -> Explanation | None:
    """Noise of another kind, and nothing in it: sources were counted in what it has."""
    return _likeliest([_noise(d, kind, 0) for kind in NOISES])


def _other_places(d: Doubted) -> Explanation | None:
    starts = torch.cat([d.start[None], moved(d.free, d.start, d.covariance)])
    fitted = d.fit(d.free, starts)
    if fitted is not None:
        return Explanation(which_wall(d.spec, *directions(d.free, fitted.x[0])))
    again = d.fit(d.free, from_nothing(d.free, d.covariance[None], d.everything))
    return None if again is None else Explanation(UNKNOWN)  # the model of the specification: a method has missed it


def _coherent(d: Doubted) -> Explanation | None:
    if d.p < 2:
        return None
    h = Hypothesis(d.spec, d.p, coherent=True)
    start = torch.cat([d.start[:-1], d.start.new_zeros(h.sizes[4]), d.start[-1:]])
    if d.fit(h, start[None]) is None:
        return None
    return Explanation(COHERENT, (Remedy(COHERENT, d.everything[0], coherent=True),))


def _one_more(d: Doubted) -> Explanation | None:
    """One more source, or noise that channels share."""
    rivals: list[_Rival | None] = []
    p = d.p + 1
    if p < d.spec.n_elements:
        start = with_one_more(d.free, d.start, d.covariance)
        more = Hypothesis(d.spec, p)
        fitted = d.fit(more, start[None])
        if fitted is not None:
            beyond = CAUSES.index("outside the sector")
            wall = which_wall(d.spec, *directions(more, fitted.x[0]))
            cause = beyond if wall == beyond else CAUSES.index("one more source")
            rivals.append(_Rival(float(fitted.cost), float(fitted.misfit.misfit), Explanation(cause)))
    return _likeliest([*rivals, *(_noise(d, kind, d.p) for kind in ("shared", "common"))])


def _unequal_or_off(d: Doubted) -> Explanation | None:
    """Noise powers of the channels' own, or one channel that is off.

    Where the misfit was large, a channel that is off passes for one of much noise: the better fit is asked for.
    """
    found = _noise(d, "channels", d.p)
    if found is None:
        return one_off(d, d.enough)
    if found.misfit <= EXPLAINED:
        return found.explanation
    return one_off(d, min(d.enough, found.misfit)) or found.explanation


def _noise(d: Doubted, kind: str, n_sources: int) -> "_Rival | None":
    """A kind of noise that explains the observation; without remedy where the noise power is known."""
    h = Hypothesis(d.spec, n_sources, noise=kind)
    starts = h.noise_model.starts()
    x = [from_nothing(h, d.covariance[None], d.everything, u) for u in starts]
    if n_sources == d.p:
        own = h.noise_model.scaled(starts, d.start[-1:].expand(len(starts)))
        x.append(torch.cat([d.start[:-1].expand(len(starts), -1), own], 1))
    fitted = d.fit(h, torch.cat(x))
    if fitted is None:
        return None
    cause = CAUSES.index(NOISES[kind])
    k = (d.level * h.noise_covariance(fitted.x)[0]).float().double()
    remedies = () if d.noise_known else (Remedy(cause, d.everything[0], noise=k),)
    return _Rival(float(fitted.cost), float(fitted.misfit.misfit), Explanation(cause, remedies))


def _likeliest(rivals: "list[_Rival | None]") -> Explanation | None:
    left = [r for r in rivals if r is not None]
    return min(left, key=lambda r: r.cost).explanation if left else None

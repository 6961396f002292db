"""Which model an answer is under: uncorrelated sources, white noise and channels in order, or what explains a bad fit.

Noise that differs between channels or is shared by them, a channel that is off, two that are swapped, coherent paths:
the explanation (`estimators.explanations`) says which, and the batch is estimated again with its remedy.
What was fitted of the noise is taken as known then. By the Fisher information of 10 dB, two sources, a bearing would be
wider by 0.2 % (`ula8`) to 1.6 % (`uca5`) were it not, on average, for any number of snapshots.
"""

from collections.abc import Callable
from functools import reduce

import torch

from doamc.estimators.causes import explanations_of
from doamc.estimators.estimates import Estimates
from doamc.estimators.explanations import channel_noise
from doamc.estimators.joined import join
from doamc.estimators.remedies import Remedy
from doamc.estimators.second_answer import or_second
from doamc.posterior.either import either
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec

NOISES = ("auto", "equal", "channels")  #: choices of the option
#: estimates of one observation, which its remedy has gone through
Again = Callable[[Remedy, SnapshotBatch], Estimates]


def or_remedied(spec: ArraySpec, batch: SnapshotBatch, first: Estimates, again: Again) -> Estimates:
    """First estimates of a batch with their causes, and `again` for those that have a remedy."""
    if batch.snapshots.ndim != 3 or first.misfit is None:
        return first
    found = explanations_of(spec, batch, first)
    cause = torch.tensor([x.cause for x in found], dtype=torch.int64)
    first = first.having(fit_cause=cause, remedy=torch.zeros_like(cause))
    remedies = {i: x.remedies for i, x in enumerate(found) if x.remedies}
    if not remedies:
        return first
    return or_second(first, _answers(batch, remedies, again), torch.tensor(list(remedies)))[0]


def with_channel_noise(spec: ArraySpec, batch: SnapshotBatch, first: Estimates, again: Again) -> Estimates:
    """Estimates of a batch whose channels have noise of their own, whether or not it fits without."""
    if batch.snapshots.ndim != 3:
        return first
    places = [slice(i, i + 1) for i in range(batch.size)]
    found = [channel_noise(spec, batch.select(here), first.select(here)) for here in places]
    remedies = {i: x for i, x in enumerate(found) if x}
    if not remedies:
        return first
    kept = [i for i in range(batch.size) if i not in remedies]
    parts = [first.select(torch.tensor(kept))] if kept else []
    order = torch.tensor(kept + list(remedies)).argsort()
    return join([*parts, _answers(batch, remedies, again, named=False)]).select(order)


def _answers(
    batch: SnapshotBatch, remedies: dict[int, tuple[Remedy, ...]], again: Again, named: bool = True
) -> Estimates:
    """Of the observations that have such remedies, whose causes are named as those of a bad fit."""
    answers = []
    for i, alike in remedies.items():
        some = batch.select(slice(i, i + 1))
        e = reduce(either, [again(remedy, remedy.batch(some)) for remedy in alike])
        told = torch.full((1,), alike[0].cause)
        wide = torch.zeros(1, dtype=torch.bool) if e.wide_prior is None else e.wide_prior
        cause = told if named else torch.zeros_like(told)
        answers.append(e.having(remedy=told, fit_cause=cause, wide_prior=wide))
    return join(answers)

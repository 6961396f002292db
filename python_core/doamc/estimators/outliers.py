"""Snapshots that no wave explains are left out of a batch that does not fit.

An impulse in one channel is known beforehand (`snapshots.impulses`). One that reaches several channels, by the supply
for instance, looks like a burst of a signal in its power alone. What tells them apart is the estimate: a burst lies in
the span of the responses that it reports, an impulse does not.
"""

from collections.abc import Callable

import torch

from doamc.estimators.estimates import Estimates
from doamc.estimators.powers import pseudo_inverse
from doamc.estimators.reported_fit import response_of
from doamc.estimators.second_answer import or_second
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.impulses import leaving_out, left_out_of, outstanding_snapshots
from doamc.snapshots.look import threshold
from doamc.spec import ArraySpec

#: share of a snapshot's power outside the span of the reported responses, from which on it is no wave. Responses that
#: are off by -15 dB leave so much of a burst; a fit that was bent to an impulse leaves 0.03 to 0.5 of it
NO_WAVE = 0.03


def or_without_outliers(
    spec: ArraySpec,
    batch: SnapshotBatch,
    first: Estimates,
    again: Callable[[SnapshotBatch], Estimates],
) -> tuple[Estimates, SnapshotBatch]:
    """Estimates of a batch, and the batch that they are of: without outliers where that explains a bad fit.

    first: what is reported of the whole batch. again: the estimates of another batch.
    """
    if first.doubtful is None or first.misfit is None or batch.snapshots.ndim != 3:
        return first, batch
    suspicious = first.doubtful.cpu().numpy()
    if not suspicious.any():
        return first, batch
    places = torch.from_numpy((suspicious & ~batch.look.calm).nonzero()[0])
    if not len(places):
        return first, batch
    some = batch.select(places)
    cleaned = leaving_out(some, outliers(spec, some, first.select(places)))
    tried = (left_out_of(cleaned) > left_out_of(some)).nonzero()[:, 0]
    if not len(tried):
        return first, batch
    places, cleaned = places[tried], cleaned.select(tried)
    answer, taken = or_second(first, again(cleaned), places)
    if not taken.any():
        return first, batch
    return answer, _with_rows(batch, cleaned.select(taken), places[taken])


def outliers(spec: ArraySpec, batch: SnapshotBatch, e: Estimates) -> torch.Tensor:
    """Which snapshots (B, L) are too strong for their channels and no wave of the reported sources."""
    strong = outstanding_snapshots(batch.snapshots)
    item, column = strong.nonzero(as_tuple=True)
    if not len(item):
        return strong
    y = batch.snapshots[item, :, column]
    left = y
    if e.azimuth.shape[1]:
        v = response_of(spec, e).nan_to_num(0.0).numpy()
        span = torch.from_numpy(v @ pseudo_inverse(v))[item].to(y)
        left = y - (span @ y[:, :, None])[:, :, 0]
    power = y.abs().square().sum(1)
    noise = e.noise_power.nan_to_num(0.0)[item] * (y.shape[1] + threshold(*batch.snapshots.shape[1:]))
    strong[item, column] = left.abs().square().sum(1) > torch.maximum(NO_WAVE * power, noise)
    return strong


def _with_rows(batch: SnapshotBatch, rows: SnapshotBatch, places: torch.Tensor) -> SnapshotBatch:
    """The batch with other observations in these places, as far as counts go."""
    left_out = left_out_of(batch).clone()
    left_out[places] = left_out_of(rows)
    return batch.noted(left_out=left_out)

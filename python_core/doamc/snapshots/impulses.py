"""Snapshots that one channel's impulse has spoilt are left out: clicks of a converter, an overflow, a loose contact.

A wave reaches all antennas, an impulse in a receiver one channel. So a sample is an impulse when it is too strong for
its channel, which the level of the channel (its median power over time) tells, *and* too strong for its snapshot, which
the other channels tell. Bursts of signals are too strong for their channels only, and stay. What is left is as Gaussian
as before, so that the exact likelihood holds for it.
"""

import math
from dataclasses import replace

import numpy as np
import torch

from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.look import sample_step, threshold

#: times the median channel of its snapshot from which on one channel is impossible for waves; two of equal power, whose
#: crests and troughs are a factor of 4 and more apart, reach it in few snapshots
IMBALANCE = 30.0
MOST = 0.5  #: share of the snapshots from which on they are no exceptions, and all stay


def without_impulses(batch: SnapshotBatch) -> SnapshotBatch:
    """The batch with spoilt snapshots set to zero, the others scaled so that the sample covariance is theirs.

    ``left_out`` (B,) counts the snapshots that are set to zero. A batch that has been here stays as it is,
    and one that is known by its covariance only.
    """
    if batch.left_out is not None or batch.snapshots.dim() != 3:
        return batch
    calm = batch.look.calm
    if calm.all():
        return batch.noted(left_out=torch.zeros(batch.size, dtype=torch.int64))
    spoilt = torch.zeros(batch.size, batch.n_snapshots, dtype=torch.bool)
    places = torch.from_numpy((~calm).nonzero()[0])
    spoilt[places] = spoilt_snapshots(batch.snapshots[places])
    return leaving_out(batch, spoilt)


def leaving_out(
    batch: SnapshotBatch,
    spoilt: torch.Tensor,  # shape: (B, L), bool
) -> SnapshotBatch:
    """The batch with these snapshots set to zero, and the others scaled so that the sample covariance is theirs.

    An observation of which more than half would be left out stays whole. ``left_out`` counts, with those before.
    """
    before = left_out_of(batch)
    left_out = before + spoilt.sum(1)
    chosen = ((left_out > before) & (left_out <= MOST * batch.n_snapshots)).nonzero()[:, 0]
    counted = before.clone()
    counted[chosen] = left_out[chosen]
    if not len(chosen):
        return batch.noted(left_out=counted)
    gain = kept_gain(counted, batch.n_snapshots) / kept_gain(before, batch.n_snapshots)
    kept = (~spoilt * gain[:, None]).to(batch.snapshots.dtype)[chosen]
    y = batch.snapshots[chosen] * kept[:, None]
    snapshots, covariance = batch.snapshots.clone(), batch.covariance.clone()
    snapshots[chosen], covariance[chosen] = y, y @ y.mH / batch.n_snapshots
    return replace(batch, snapshots=snapshots, covariance=covariance, left_out=counted)


def left_out_of(batch: SnapshotBatch) -> torch.Tensor:
    """Numbers (B,) of snapshots that were left out, 0 where nobody has looked."""
    return torch.zeros(batch.size, dtype=torch.int64) if batch.left_out is None else batch.left_out


def kept_gain(
    left_out: torch.Tensor,  # shape: (B,)
    n_snapshots: int,
) -> torch.Tensor:
    """Factors (B,) on the snapshots that are left, so that they have the power of all of them."""
    return (n_snapshots / (n_snapshots - left_out).double()).sqrt()


def spoilt_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L), complex
) -> torch.Tensor:
    """Which snapshots hold an impulse of one channel, (B, L) bool."""
    b, n, length = snapshots.shape
    y, spoilt = snapshots.resolve_conj().cpu().numpy(), np.zeros((b, length), dtype=bool)
    if n < 3:  # the median of two channels is one of the two
        return torch.from_numpy(spoilt)
    power = y.real * y.real + y.imag * y.imag
    level, limit = _levels(power), threshold(n, length)
    item, column = (power > limit * level[:, :, None]).any(1).nonzero()
    with np.errstate(invalid="ignore"):  # next to a channel that is zero all the time nothing is an impulse
        relative = power[item, :, column] / level[item]  # (M, N)
    typical = np.maximum(_lower_median(relative), 1.0)
    spoilt[item, column] = relative.max(1) > np.maximum(IMBALANCE * typical, limit)
    return torch.from_numpy(spoilt)


def outstanding_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L), complex
) -> torch.Tensor:
    """Which snapshots are too strong for the level of a channel, (B, L) bool: bursts as well as impulses."""
    y = snapshots.resolve_conj().cpu().numpy()
    power = y.real * y.real + y.imag * y.imag
    limit = threshold(*power.shape[1:]) * _levels(power)
    return torch.from_numpy((power > limit[:, :, None]).any(1))


def _levels(power: np.ndarray) -> np.ndarray:
    """Mean powers (B, N) of the channels, by their median over time."""
    level = _lower_median(power[:, :, :: sample_step(power.shape[2])]) / math.log(2)
    return np.where(level > 0, level, power.mean(2))  # coarse samples, zero most of the time


def _lower_median(x: np.ndarray) -> np.ndarray:
    """Median along the last axis, the lower of two in the middle."""
    middle = (x.shape[-1] - 1) // 2
    return np.partition(x, middle, -1)[..., middle]

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

#: expected false alarms of the test over time, in a batch of noise; the test over channels leaves hardly any of them
FALSE_ALARMS = 1e-3
#: times the median channel of its snapshot from which on one channel is impossible for waves; two of equal power, whose
#: crests and troughs are a factor of 4 and more apart, reach it in few snapshots
IMBALANCE = 30.0
MEDIAN_SAMPLES = 1024  #: of a channel, evenly spread, that tell its level
MOST = 0.5  #: share of the snapshots from which on they are no exceptions, and all stay


def without_impulses(batch: SnapshotBatch) -> SnapshotBatch:
    """The batch with spoilt snapshots set to zero, the others scaled so that the sample covariance is theirs.

    ``left_out`` (B,) counts the snapshots that are set to zero. A batch that has been here stays as it is,
    and one that is known by its covariance only.
    """
    if batch.left_out is not None or batch.snapshots.dim() != 3:
        return batch
    spoilt = spoilt_snapshots(batch.snapshots)
    if not spoilt.any():
        return batch.noted(left_out=torch.zeros(batch.size, dtype=torch.int64))
    left_out = spoilt.sum(1)
    chosen = ((left_out > 0) & (left_out <= MOST * batch.n_snapshots)).nonzero()[:, 0]
    if not len(chosen):
        return batch.noted(left_out=torch.zeros_like(left_out))
    counted = torch.zeros_like(left_out)
    counted[chosen] = left_out[chosen]
    kept = (~spoilt * kept_gain(counted, batch.n_snapshots)[:, None]).to(batch.snapshots.dtype)[chosen]
    y = batch.snapshots[chosen] * kept[:, None]
    snapshots, covariance = batch.snapshots.clone(), batch.covariance.clone()
    snapshots[chosen], covariance[chosen] = y, y @ y.mH / batch.n_snapshots
    return replace(batch, snapshots=snapshots, covariance=covariance, left_out=counted)


def kept_gain(
    left_out: torch.Tensor,  # shape: (B,)
    n_snapshots: int,
) -> torch.Tensor:
    """Factors (B,) on the snapshots that are left, so that they have the power of all of them."""
    return (n_snapshots / (n_snapshots - left_out).double()).sqrt()


def spoilt_snapshots(
    snapshots: torch.Tensor,  # shape: (B, N, L), complex
) -> torch.Tensor:
    """Which snapshots hold an impulse of one channel, (B, L) bool.

    Powers of Gaussian samples are exponential: their median is log(2) times their mean, and N L of them exceed
    log(N L / f) times their mean f times in all.
    """
    b, n, length = snapshots.shape
    y, spoilt = snapshots.resolve_conj().cpu().numpy(), np.zeros((b, length), dtype=bool)
    if n < 3:  # the median of two channels is one of the two
        return torch.from_numpy(spoilt)
    power = y.real * y.real + y.imag * y.imag
    some = power[:, :, :: -(-length // MEDIAN_SAMPLES)]
    threshold = math.log(n * length / FALSE_ALARMS)
    # whether the median is so low that the greatest power is above the threshold; to count is quicker than to sort
    low = some * (threshold / math.log(2)) < power.max(2)[:, :, None]
    if (np.count_nonzero(low, 2) > (some.shape[2] - 1) // 2).any():
        level = _lower_median(some) / math.log(2)
        level = np.where(level > 0, level, power.mean(2))  # coarse samples, zero most of the time
        item, column = (power > threshold * level[:, :, None]).any(1).nonzero()
        with np.errstate(invalid="ignore"):  # next to a channel that is zero all the time nothing is an impulse
            relative = power[item, :, column] / level[item]  # (M, N)
        typical = np.maximum(_lower_median(relative), 1.0)
        spoilt[item, column] = relative.max(1) > np.maximum(IMBALANCE * typical, threshold)
    return torch.from_numpy(spoilt)


def _lower_median(x: np.ndarray) -> np.ndarray:
    """Median along the last axis, the lower of two in the middle."""
    middle = (x.shape[-1] - 1) // 2
    return np.partition(x, middle, -1)[..., middle]

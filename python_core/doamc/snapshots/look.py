"""One look at all samples of a batch, for everybody who asks: impulses, offsets, correlation in time.

The samples are read once, beside their covariance, and what every answer has to know of them is kept:

* whether any sample can be an impulse: calm channels have their greatest power within reach of their median
  (`snapshots.impulses`), so that nothing need be sorted;
* how much of the mean is more than the covariance allows: m^H R^-1 m is what Hotelling's statistic is made of, and most
  of what a converter's offset leaves (`estimators.converter_offset`);
* the greatest kurtosis of a channel and the line at 0 Hz over those beside it, which say why a batch does not fit
  (`estimators.causes`);
* the covariance of neighbours in time, and whether it is more than chance (`snapshots.effective_snapshots`).

The compiled loops do it in one call (`likelihood.sample_loops`, asked by `estimators.looking`). `look_by_numpy` is
their reference, and runs without them and for batches that nobody has looked at before.
"""

import math
from typing import NamedTuple

import numpy as np
import torch

from doamc.snapshots.correlation import FEWEST, first_lags, significant_lags

#: expected false alarms of the test over time, in a batch of noise; the test over channels leaves hardly any of them
FALSE_ALARMS = 1e-3
MEDIAN_SAMPLES = 1024  #: of a channel, evenly spread, that tell its level
BESIDE = 8  #: frequencies either side that the line at 0 Hz is compared with
LEAST_VALUE = 1e-16  #: of the greatest eigenvalue, below which one is a rounding error
ENTRIES = 1 << 22  #: numbers of the samples that are looked at together, so that memory stays bounded


class Look(NamedTuple):
    """Of B observations of samples y (N, L).

    lag: (B, N, N), the sum of y_i(t + 1) y_j(t)^*. heard: (B,), number of snapshots that are not zero in all channels.
    kurtosis: (B,), of what is heard, mean of |y|^4 over the squared mean of |y|^2, in the channel that has most of it.
    line: (B,), of what is heard, power at 0 Hz over the mean of `BESIDE` frequencies either side, in the median channel
    (the lower of two); 0 of 4 `BESIDE` snapshots and fewer. mean_share: (B,), m^H R^-1 m of the mean m.
    calm: (B,) bool, whether no sample can be an impulse. correlated: (B,) bool, whether neighbours in time have more in
    common than chance gives them, as signals, together or as noise, for any number of sources.
    """

    lag: np.ndarray
    heard: np.ndarray
    kurtosis: np.ndarray
    line: np.ndarray
    mean_share: np.ndarray
    calm: np.ndarray
    correlated: np.ndarray

    def of(self, index: np.ndarray | slice) -> "Look":
        """Of some of the observations."""
        return Look(*(part[index] for part in self))


def threshold(n_elements: int, n_snapshots: int) -> float:
    """Power over the mean of its channel above which a sample is suspicious.

    Powers of Gaussian samples are exponential: their median is log(2) times their mean, and N L of them exceed
    log(N L / f) times their mean f times in all.
    """
    return math.log(n_elements * n_snapshots / FALSE_ALARMS)


def sample_step(n_snapshots: int) -> int:
    """Every which sample tells the level of a channel."""
    return -(-n_snapshots // MEDIAN_SAMPLES)


def calm_part(n_elements: int, n_snapshots: int) -> float:
    """Share of its greatest power that the median power of a calm channel has at least."""
    return math.log(2) / threshold(n_elements, n_snapshots)


def look_by_numpy(
    snapshots: torch.Tensor,  # shape: (B, N, L), complex
    eigen: tuple[torch.Tensor, torch.Tensor],  # of the covariance: values (B, N), ascending, vectors (B, N, N)
) -> Look:
    """The look, of a few observations at a time."""
    y, values, vectors = (x.resolve_conj().cpu().numpy() for x in (snapshots, *eigen))
    some = max(1, ENTRIES // (y.shape[1] * y.shape[2]))
    looks = [_look(*(x[i : i + some] for x in (y, values, vectors))) for i in range(0, len(y), some)]
    return Look(*(np.concatenate(parts) for parts in zip(*looks, strict=True)))


@np.errstate(all="ignore")  # samples beyond all measure have figures that are no number
def _look(y: np.ndarray, values: np.ndarray, vectors: np.ndarray) -> Look:
    n, length = y.shape[1:]
    power, heard = y.real * y.real + y.imag * y.imag, y.any(1).sum(1)
    some, part = power[:, :, :: sample_step(length)], calm_part(n, length)
    low = some < part * power.max(2)[:, :, None]  # to count is quicker than to sort
    calm = (np.count_nonzero(low, 2) <= (some.shape[2] - 1) // 2).all(1)
    kurtosis = (heard[:, None] * (power * power).sum(2) / power.sum(2) ** 2).max(1)
    seen = (y.mean(2)[:, None] @ vectors.conj())[:, 0]
    share = ((seen.real**2 + seen.imag**2) / np.maximum(values, LEAST_VALUE * values[:, -1:])).sum(1)
    lag = y[:, :, 1:] @ y[:, :, :-1].conj().swapaxes(1, 2)
    significant = np.zeros((len(y), n, 3), bool)
    if length >= FEWEST:
        significant = significant_lags(*first_lags(lag, values, vectors, length), length)
    correlated: np.ndarray = np.count_nonzero(significant.reshape(len(y), -1), 1) > 0
    line = np.array([_line(of) for of in y])
    return Look(lag, heard.astype(np.float64), kurtosis, line, share, calm, correlated)


def _line(y: np.ndarray) -> float:
    """Line at 0 Hz of samples (N, L) over those beside it, in the median channel."""
    heard = y[:, y.any(0)]
    if heard.shape[1] <= 4 * BESIDE:
        return 0.0
    spectrum = np.fft.fft(heard)[:, range(-BESIDE, BESIDE + 1)]
    lines = spectrum.real**2 + spectrum.imag**2
    beside = (lines.sum(1) - lines[:, BESIDE]) / (2 * BESIDE)
    return float(np.sort(lines[:, BESIDE] / beside)[(len(lines) - 1) // 2])

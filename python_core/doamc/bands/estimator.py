"""Directions of many signals at once, through any method of the library."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from doamc.bands.signal import Signal
from doamc.bands.wavelength import nearest_step, spec_at
from doamc.estimators.base import Estimator
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.joined import join
from doamc.snapshots.batch import SnapshotBatch, make_batch
from doamc.spec import ArraySpec
from doamc.spec.coupling import require_one_coupling
from doamc.spec.elevation import require_horizon

#: independent snapshots of a signal that are counted: beyond, what the model does not know decides, not the noise
MOST_SNAPSHOTS = 1000
STEPS = 4  #: to an octave, numbers of snapshots below that
KEPT = 64  #: estimators, one a wavelength


@dataclass(frozen=True)
class Receiver:
    """What signals are received with.

    channels: element of each channel. reference_hz: of the band, for which an array in wavelengths holds where it does
    not tell; None where nobody knows the frequency, and all signals then have the wavelength of the array.
    """

    spec: ArraySpec
    channels: tuple[int, ...]
    reference_hz: float | None


class SignalEstimator:
    """Estimates of signals, those of one wavelength as one batch. n_sources: P, or None to count them in each signal.

    Raises EstimatorError as `open_estimator` does, SpecificationError for an array with elevations or whose coupling
    depends on direction.
    """

    def __init__(
        self, receiver: Receiver, method: str | None = None, n_sources: int | None = None, device: str = "cpu",
        seed: int = 0, most_snapshots: float = MOST_SNAPSHOTS,
    ) -> None:  # fmt: skip
        require_horizon(receiver.spec, "a scan of a band")
        require_one_coupling(receiver.spec, "a scan of a band")
        self.receiver, self.n_sources, self.most_snapshots = receiver, n_sources, most_snapshots
        self._make = lambda spec: open_estimator(method, spec, n_sources, device, seed)
        self._open: OrderedDict[float, Estimator] = OrderedDict()
        self.name = self._at(self._step(receiver.reference_hz or 0.0)).name

    def __call__(self, signals: Sequence[Signal]) -> list[Estimates]:
        """Estimates of each signal, one observation each. A signal has at least one source: the detector is sure."""
        groups: dict[tuple[float, int], list[int]] = {}
        for i, s in enumerate(signals):
            key = self._step(s.frequency_hz), self._length(s)
            groups.setdefault(key, []).append(i)
        out: list[Estimates | None] = [None] * len(signals)
        for (frequency_hz, length), places in groups.items():
            batch = as_batch([signals[i] for i in places], length, self.receiver.channels)
            e = self._estimates(self._at(frequency_hz), batch)
            for row, i in enumerate(places):
                out[i] = e.select(slice(row, row + 1))
        return [e for e in out if e is not None]

    def spec_at(self, frequency_hz: float) -> ArraySpec:
        """The array at a frequency, in wavelengths."""
        reference_hz = self.receiver.reference_hz
        if reference_hz is None:
            return self.receiver.spec.tuned(None)
        return spec_at(self.receiver.spec, frequency_hz, reference_hz)

    def _step(self, frequency_hz: float) -> float:
        reference_hz = self.receiver.reference_hz
        return 0.0 if reference_hz is None else nearest_step(frequency_hz, reference_hz)

    def _estimates(self, estimator: Estimator, batch: SnapshotBatch) -> Estimates:
        e = estimate_batch(estimator, batch, self.n_sources)
        none = (e.n_sources == 0).nonzero()[:, 0]
        if not len(none):
            return e
        one = estimate_batch(estimator, batch.select(none), 1)
        some = (e.n_sources > 0).nonzero()[:, 0]
        order = torch.cat([some, none]).argsort()
        return join([e.select(some), one] if len(some) else [one]).select(order)

    def _length(self, signal: Signal) -> int:
        length = min(signal.snapshots, self.most_snapshots)
        if length < self.most_snapshots:
            length = 2 ** (math.floor(STEPS * math.log2(length)) / STEPS)
        return max(1, math.floor(length))

    def _at(self, frequency_hz: float) -> Estimator:
        if frequency_hz not in self._open:
            self._open[frequency_hz] = self._make(self.spec_at(frequency_hz))
            if len(self._open) > KEPT:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(frequency_hz)
        return self._open[frequency_hz]


def as_batch(signals: Sequence[Signal], length: int, channels: Sequence[int] | None) -> SnapshotBatch:
    """Independent snapshots (B, N, L) that have the covariances of signals: their roots times orthonormal rows.

    For fewer snapshots than elements they have the part of it that so few can have.
    """
    covariance = torch.stack([s.covariance for s in signals])
    n = covariance.shape[1]
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp_min(0).sqrt()[:, None]
    if length < n:
        root = root[:, :, -length:]
    rows = orthonormal_rows(min(n, length), length)
    return make_batch(math.sqrt(length) * (root @ rows), n, channels=channels)


def orthonormal_rows(n: int, length: int) -> torch.Tensor:
    """Rows (n, length) of noise, made orthonormal; always the same."""
    rng = np.random.default_rng(17)
    z = rng.standard_normal((length, n)) + 1j * rng.standard_normal((length, n))
    return torch.from_numpy(np.linalg.qr(z)[0].T.copy())

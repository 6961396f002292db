"""Directions of the signals of a capture: each by itself, then all of them with one coupling of the array."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from doamc.bands.estimator import SignalEstimator
from doamc.bands.heard import Heard, heard
from doamc.bands.one_array import OneArray, Placed
from doamc.bands.signal import Signal
from doamc.coupling.drawn import DrawnFamily
from doamc.estimators.base import Estimates
from doamc.estimators.incident import incident
from doamc.estimators.intervals import NORMAL_90

LEAST = 2  #: signals from which on they share what they teach of the array


@dataclass(frozen=True)
class Bearing:
    """Estimates of one signal, one observation. shared: number of signals whose coupling it rests on, 1 where alone."""

    estimates: Estimates
    shared: int = 1


class Bearings:
    """Bearings of signals; what they teach of the coupling is kept for those that follow. one_array: whether it is."""

    def __init__(self, estimator: SignalEstimator, one_array: bool = True) -> None:
        self.estimator = estimator
        receiver = estimator.receiver
        self._one = OneArray(estimator.spec_at(receiver.reference_hz or 0.0)) if one_array else None
        self._taught = 0

    @property
    def family(self) -> DrawnFamily | None:
        """The responses that all signals together have taught, None before."""
        return self._one.family if self._one is not None and self._taught >= LEAST else None

    def __call__(self, signals: Sequence[Signal], known: frozenset[int] = frozenset()) -> list[Bearing]:
        """Bearings of signals, in their order. One that fits no model teaches nothing, where others do.

        known: numbers of those that have taught what they can already.
        """
        alone = self.estimator(signals)
        if self._one is None or not signals or self._taught + len(signals) < LEAST:
            return [Bearing(self._incident(s, e)) for s, e in zip(signals, alone, strict=True)]
        told = [self._heard(s, e) for s, e in zip(signals, alone, strict=True)]
        new = [s.id not in known for s in signals]
        sure = [n and (e.doubtful is None or not bool(e.doubtful[0])) for n, e in zip(new, alone, strict=True)]
        if sum(sure) < sum(new) / 2:  # of rough antennas none may fit
            sure = new
        placed = self._one(told, sure) if any(sure) else self._one.place(told)
        self._taught += sum(sure)
        moved = [_moved(e, p, h) for e, p, h in zip(alone, placed, told, strict=True)]
        return [Bearing(self._incident(s, e), self._taught) for s, e in zip(signals, moved, strict=True)]

    def _incident(self, signal: Signal, e: Estimates) -> Estimates:
        return incident(self.estimator.spec_at(signal.frequency_hz), e)

    def _heard(self, signal: Signal, e: Estimates) -> Heard:
        receiver = self.estimator.receiver
        rows = np.argsort(receiver.channels)
        covariance = signal.covariance[rows][:, rows]
        azimuth = e.azimuth[0][~e.azimuth[0].isnan()]
        snapshots = min(signal.snapshots, self.estimator.most_snapshots)
        return heard(self.estimator.spec_at(signal.frequency_hz), covariance, snapshots, azimuth, e.coupling[0])


def _moved(e: Estimates, placed: Placed, told: Heard) -> Estimates:
    """Estimates with the directions, powers and coupling of the joint fit."""
    p, width = len(placed.azimuth), e.azimuth.shape[1]
    pad = (0, width - p)

    def wide(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(x, pad, value=torch.nan)[None]

    half = NORMAL_90 * placed.std
    interval = torch.stack([wide(placed.azimuth - half), wide(placed.azimuth + half)], -1)
    return replace(
        e, azimuth=wide(placed.azimuth), std=wide(placed.std), interval=interval,
        power=wide(placed.power * told.observed.level), coupling=placed.coupling[None],
        coupling_std=None, mode_azimuth=None, mode_std=None, mode_share=None, response=None,
    )  # fmt: skip

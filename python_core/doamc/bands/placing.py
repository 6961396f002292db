"""Where signals are, in two strides: a whole estimate now and then, and what is left of it in every update.

A whole estimate (any method, the number of sources counted, one coupling for all signals) takes tens of milliseconds a
signal. It gives the places of a signal's sources, the responses around them, and the share of their errors that more
samples do not mend. In between, `refine` finds all signals from their newest samples in a few milliseconds.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from doamc.bands.bearings import Bearing, Bearings
from doamc.bands.refine import Local, Refined, refine
from doamc.bands.signal import Signal

STEP_RAD = 0.01  #: of the differences that derivatives are taken by


@dataclass(frozen=True)
class Place:
    """Where a signal was found to be. bearing: the whole estimate. local: of its P sources, None without any.

    shared: (P,) rad, standard deviation of what all samples share. power: (P,) as `refine` has it.
    """

    signal: Signal
    bearing: Bearing
    local: Local | None
    shared: torch.Tensor
    power: torch.Tensor

    @property
    def n_sources(self) -> int:
        """Number of sources P."""
        return len(self.shared)


class Placer:
    """Whole estimates of signals, one call at a time; state: what they have taught of the array."""

    def __init__(self, bearings: Bearings) -> None:
        self.bearings = bearings
        self._taught: frozenset[int] = frozenset()
        self._turn = threading.Lock()  # an estimate may outlast the run of a flowgraph that asked for it

    def __call__(self, signals: Sequence[Signal], alive: frozenset[int]) -> list[Place]:
        """Places of signals, in their order. alive: numbers of all that have not ended."""
        with self._turn, torch.no_grad():
            found = self.bearings(signals, self._taught)
            places = [self._place(s, b) for s, b in zip(signals, found, strict=True)]
            if self.bearings.family is not None:  # before, nothing has been taught
                self._taught |= {s.id for s in signals}
            self._taught &= alive
            return places

    def _place(self, signal: Signal, bearing: Bearing) -> Place:
        e = bearing.estimates
        there = ~e.azimuth[0].isnan()
        azimuth, std = e.azimuth[0][there], e.std[0][there]
        if not len(azimuth) or len(azimuth) >= signal.covariance.shape[0]:
            return Place(signal, bearing, None, std, std)
        local = self._local(signal, e.coupling[0], azimuth)
        rows = rows_of(self.bearings.estimator.receiver.channels)
        own = refine(ordered(signal.covariance, rows)[None], torch.tensor([signal.snapshots]), _batch(local))
        # of a whole estimate's variance, what its samples explain is not shared; where that cannot be told, all is
        shared = (std.square() - own.std[0].nan_to_num(0.0).square()).clamp_min(0).sqrt()
        return Place(signal, bearing, local, shared, own.power[0])

    def _local(self, signal: Signal, coupling: torch.Tensor, azimuth: torch.Tensor) -> Local:
        spec, family = self.bearings.estimator.spec_at(signal.frequency_hz), self.bearings.family
        if family is None:
            from doamc.arrays import steering

            known = coupling if bool(torch.isfinite(coupling.abs()).all()) else torch.eye(len(coupling)).to(coupling)

            def response(x: torch.Tensor) -> torch.Tensor:
                return known @ steering(spec.positions, x).to(known.dtype)
        else:

            def response(x: torch.Tensor) -> torch.Tensor:
                return family.response(x.new_zeros(family.n_parameters), spec.positions, x)

        low, middle, high = (response(azimuth + k * STEP_RAD) for k in (-1, 0, 1))
        return Local(azimuth, middle, (high - low) / (2 * STEP_RAD), (high - 2 * middle + low) / STEP_RAD**2)


def rows_of(channels: Sequence[int]) -> list[int]:
    """Channel of each element."""
    return [int(k) for k in np.argsort(channels)]


def ordered(covariance: torch.Tensor, rows: list[int]) -> torch.Tensor:
    """A covariance (..., N, N) in the order of the elements."""
    return covariance[..., rows, :][..., rows]


def refined(places: Sequence[Place], signals: Sequence[Signal], rows: list[int]) -> list[Refined | None]:
    """Where signals are now, near their places; (1, P) each, None where a place has no sources."""
    out: list[Refined | None] = [None] * len(places)
    for p in {x.n_sources for x in places if x.local is not None}:
        which = [i for i, x in enumerate(places) if x.local is not None and x.n_sources == p]
        locals_ = [x.local for x in (places[i] for i in which) if x.local is not None]
        whole = Local(*(torch.stack([getattr(x, name) for x in locals_]) for name in Local.__dataclass_fields__))
        covariance = ordered(torch.stack([signals[i].covariance for i in which]), rows)
        found = refine(covariance, torch.tensor([signals[i].snapshots for i in which], dtype=torch.float64), whole)
        for row, i in enumerate(which):
            part = slice(row, row + 1)
            out[i] = Refined(found.azimuth[part], found.std[part], found.power[part])
    return out


def _batch(local: Local) -> Local:
    return Local(*(getattr(local, name)[None] for name in Local.__dataclass_fields__))

"""All signals of a band share one array: one coupling and one set of channels, fitted together with all directions.

What a signal teaches of the coupling sharpens the directions of all others. The belief over the coupling is that of
method ``self-calibrating``, for each kind of builder one (`builder`); each signal has the positions of its own
wavelength, and a scene of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.bands.builder import Builder
from doamc.bands.heard import Heard
from doamc.bands.model_error import CENTRE_DB, MOST_KEPT, Misfit, model_error
from doamc.coupling.drawn import DrawnFamily
from doamc.selfcal.joint import Fit
from doamc.selfcal.scene import known_family
from doamc.selfcal.start import start_family
from doamc.spec import ArraySpec

SPREAD_DB = -30.0  #: how far the coupling of one kind of builder may lie outside its family
EXACT_DB = -60.0  #: the same of an array that is as its specification tells
SAME_DB = 1.5  #: change of the model's error that is worth another fit


@dataclass(frozen=True)
class Placed:
    """Sources of a signal: azimuth and std (P,) in rad, ascending.

    power: (P,), 1 in the mean of the signal's sources. coupling: (N, N) of the array.
    """

    azimuth: torch.Tensor
    std: torch.Tensor
    power: torch.Tensor
    coupling: torch.Tensor


class OneArray:
    """The belief over the coupling of one array: of each kind of builder a prior, and what was learnt from signals.

    error: power by which responses err, against theirs, as signals have shown it so far.
    """

    def __init__(self, spec: ArraySpec) -> None:
        narrow = spec.family.narrow
        spreads = (SPREAD_DB,) if narrow else (None, EXACT_DB)  # a family as it is told may be all there is, or not
        self._builders = [
            Builder(start_family(spec.with_family(f), spread), share, narrow)
            for share, f, _ in spec.family.kinds for spread in spreads
        ]  # fmt: skip
        self.error = 10 ** (CENTRE_DB / 10)
        self._misfits: list[Misfit] = []

    def __call__(self, heard: Sequence[Heard], sure: Sequence[bool]) -> list[Placed]:
        """Learn the coupling of all signals together; where each is by what the others, and the past, say.

        sure: whether each may teach anything.
        """
        before = [(b.belief, b.log_weight) for b in self._builders]
        fits = self._fits(heard, sure)
        best = max(self._builders, key=lambda b: b.log_weight)
        misfits = (self._misfits + best.misfits)[-MOST_KEPT:]
        error = model_error(misfits, best.coupled * len(misfits) / max(1, len(best.misfits)))
        if abs(math.log10(error / self.error)) > 0.1 * SAME_DB:
            self.error = error
            for builder, (belief, weight) in zip(self._builders, before, strict=True):
                builder.belief, builder.log_weight = belief, weight
            fits = self._fits(heard, sure)
        self._misfits = misfits
        return self._mixed(heard, fits)

    def _fits(self, heard: Sequence[Heard], sure: Sequence[bool]) -> list[list[Fit]]:
        told = [h.under(self.error) for h in heard]
        return [b.fit(told, sure, [h.observed.snapshots for h in heard]) for b in self._builders]

    def place(self, heard: Sequence[Heard]) -> list[Placed]:
        """Where signals are by what has been learnt so far; nothing is learnt from them."""
        return self._mixed(heard, [[b.alone(h.under(self.error)) for h in heard] for b in self._builders])

    @property
    def family(self) -> DrawnFamily:
        """The responses that are believed in, as a family without parameters."""
        belief = max(self._builders, key=lambda b: b.log_weight).belief
        return known_family(belief.family.mean, belief.start)

    def _mixed(self, heard: Sequence[Heard], fits: Sequence[Sequence[Fit]]) -> list[Placed]:
        weight = torch.tensor([b.log_weight for b in self._builders], dtype=torch.float64).softmax(0)
        coupling = self._builders[int(weight.argmax())].belief.coupling
        return [_mixed([f[i] for f in fits], weight, coupling, h.spec.full_circle) for i, h in enumerate(heard)]


def _mixed(fits: Sequence[Fit], weight: torch.Tensor, coupling: torch.Tensor, wraps: bool) -> Placed:
    """Directions over all kinds, each taken where the likeliest kind has them."""
    best = int(weight.argmax())
    centre = fits[best].azimuth[0]
    apart = torch.stack([f.azimuth[0] - centre for f in fits])
    if wraps:
        apart = wrap_rad(apart)
    mean = weight @ apart
    variance = weight @ (torch.stack([f.std[0] for f in fits]).square() + (apart - mean).square())
    azimuth, order = (centre + mean).sort()
    return Placed(azimuth, variance.sqrt()[order], fits[best].log_power.exp()[order], coupling)

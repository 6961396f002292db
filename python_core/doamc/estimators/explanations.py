"""Models beside that of the specification, one of which may explain a batch: what is wrong, and how it is undone.

They are fitted one after the other, starting from estimates that are doubtful; the first that the batch fits is the
explanation. Of those that do much the same, one more source and noise that channels share, the likelier is, each
parameter paid with log(L) / 2. One channel that is off, and two that are swapped, must explain the batch alone among
all of their kind, N or N (N - 1) / 2 of them.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from doamc.angles import wrap_rad
from doamc.arrays.extent import extent_of, is_flat
from doamc.arrays.steering import direction
from doamc.estimators.beams import from_nothing, moved, with_one_more
from doamc.estimators.cause_names import CAUSES, CHANNEL, COHERENT, UNKNOWN, swapped
from doamc.estimators.hypotheses import Fitted, Hypothesis
from doamc.estimators.remedies import Remedy
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec
from doamc.spec.elevation import off_horizon

if TYPE_CHECKING:
    from doamc.estimators.base import Estimates

EXPLAINED = 4.0  #: misfit below which a model explains a batch
SHARE = 0.05  #: of the misfit of the estimates that may be left, too
DISTINCT = 2.0  #: times the misfit without the channel that is off, the least without another one
SURE_NATS = 5.0  #: by which the likeliest pair of swapped channels must lead: odds of 150 to one
MOST_CHANNELS = 12  #: of which pairs are tried
DRAWS = 4  #: couplings of the prior to start from, where channels may be swapped
MOST_ALIKE = 2  #: pairs that explain a batch alike
OFF_HORIZON = 0.05  #: rad, least elevation that a flat array is started from
FEWEST_CHANNELS = 2  #: more than sources, with which something can be told of a channel
NOISES = {"channels": "unequal noise", "shared": "coloured noise", "common": "common mode"}  #: their causes


@dataclass(frozen=True)
class Explanation:
    """Number of a cause, and its remedy, where there is one; several where the batch cannot tell them apart."""

    cause: int
    remedies: tuple[Remedy, ...] = ()


@dataclass(frozen=True)
class _Rival:
    """A model that explains an observation, with its cost and misfit."""

    cost: float
    misfit: float
    explanation: Explanation


def explanation(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates") -> Explanation:
    """What explains one observation whose estimates are doubtful."""
    p = int(e.azimuth.isfinite().sum())
    if not e.coupling.isfinite().all() or not float(e.noise_power) > 0 or e.misfit is None:
        return Explanation(UNKNOWN)
    return _Search(spec, batch, e, p, max(EXPLAINED, SHARE * float(e.misfit))).found()


def channel_noise(spec: ArraySpec, batch: SnapshotBatch, e: "Estimates") -> tuple[Remedy, ...]:
    """The remedy for a noise power of each channel's own, of one observation; none where it cannot be found."""
    p = int(e.azimuth.isfinite().sum())
    if not p or not e.coupling.isfinite().all() or not float(e.noise_power) > 0:
        return ()
    return _Search(spec, batch, e, p, enough=math.inf).unequal()


class _Search:
    """The models in their order, of one observation with P sources; enough: misfit below which one explains it."""

    def __init__(self, spec: ArraySpec, batch: SnapshotBatch, e: "Estimates", n_sources: int, enough: float) -> None:
        self.spec, self.p, self.lengths = spec, n_sources, batch.effective.lengths(n_sources)
        self.level = float(batch.covariance.diagonal(dim1=1, dim2=2).real.mean())
        self.covariance = batch.covariance[0] / self.level
        self.enough = enough
        self.everything = torch.arange(spec.n_elements)[None]
        self.counted, self.noise_known = e.log_evidence is not None, batch.noise_power is not None
        self.free = Hypothesis(spec, n_sources)
        self.start = _start(spec, e, 1 / self.level)

    def found(self) -> Explanation:
        """The first model that explains the observation."""
        steps = [self._noise_alone] if self.counted else []
        if self.p:
            steps += [self._other_places, self._coherent, self._one_more, self._unequal_or_off, self._swapped]
        for step in steps:
            found = step()
            if found is not None:
                return found
        return Explanation(UNKNOWN)

    def _fit(self, h: Hypothesis, start: torch.Tensor) -> Fitted | None:
        """A model fitted from starts (S, D), where it explains the observation."""
        fitted = h.fit(self.covariance, self.lengths, start[None], self.everything)
        return fitted if float(fitted.misfit.misfit) < self.enough else None

    def _noise_alone(self) -> Explanation | None:
        """Noise of another kind, and nothing in it: sources were counted in what it has."""
        return self._likeliest([self._noise(kind, 0) for kind in NOISES])

    def _other_places(self) -> Explanation | None:
        starts = torch.cat([self.start[None], moved(self.free, self.start, self.covariance)])
        fitted = self._fit(self.free, starts)
        if fitted is not None:
            return Explanation(which_wall(self.spec, *directions(self.free, fitted.x[0])))
        again = self._fit(self.free, from_nothing(self.free, self.covariance[None], self.everything))
        return None if again is None else Explanation(UNKNOWN)  # the model of the specification: a method has missed it

    def _coherent(self) -> Explanation | None:
        if self.p < 2:
            return None
        h = Hypothesis(self.spec, self.p, coherent=True)
        start = torch.cat([self.start[:-1], self.start.new_zeros(h.sizes[4]), self.start[-1:]])
        if self._fit(h, start[None]) is None:
            return None
        return Explanation(COHERENT, (Remedy(COHERENT, self.everything[0], coherent=True),))

    def _one_more(self) -> Explanation | None:
        """One more source, or noise that channels share."""
        rivals: list[_Rival | None] = []
        p = self.p + 1
        if p < self.spec.n_elements:
            start = with_one_more(self.free, self.start, self.covariance)
            more = Hypothesis(self.spec, p)
            fitted = self._fit(more, start[None])
            if fitted is not None:
                beyond = CAUSES.index("outside the sector")
                wall = which_wall(self.spec, *directions(more, fitted.x[0]))
                cause = beyond if wall == beyond else CAUSES.index("one more source")
                rivals.append(_Rival(float(fitted.cost), float(fitted.misfit.misfit), Explanation(cause)))
        return self._likeliest([*rivals, *(self._noise(kind, self.p) for kind in ("shared", "common"))])

    def unequal(self) -> tuple[Remedy, ...]:
        """The remedy for noise powers of the channels' own."""
        found = self._noise("channels", self.p)
        return () if found is None else found.explanation.remedies

    def _unequal_or_off(self) -> Explanation | None:
        """Noise powers of the channels' own, or one channel that is off.

        Where the misfit was large, a channel that is off passes for one of much noise: the better fit is asked for.
        """
        found = self._noise("channels", self.p)
        if found is None:
            return self._one_off(self.enough)
        if found.misfit <= EXPLAINED:
            return found.explanation
        return self._one_off(min(self.enough, found.misfit)) or found.explanation

    def _one_off(self, enough: float) -> Explanation | None:
        """One channel, without which the others fit."""
        n = self.spec.n_elements
        if n <= self.p + FEWEST_CHANNELS:
            return None
        others = torch.stack([torch.cat([torch.arange(c), torch.arange(c + 1, n)]) for c in range(n)])
        again = from_nothing(self.free, self.covariance[others[:, :, None], others[:, None]], others)
        starts = torch.stack([self.start.expand(n, -1), again], 1)
        fitted = self.free.fit(self.covariance, self.lengths, starts, others)
        best, second = fitted.misfit.misfit.nan_to_num(math.inf).topk(2, largest=False)[0].tolist()
        if best >= enough or second <= max(DISTINCT * best, EXPLAINED):
            return None
        c = int(fitted.misfit.misfit.nan_to_num(math.inf).argmin())
        power = float((self.level * fitted.x[c, -1].exp()).float())
        return Explanation(CHANNEL + c, (Remedy(CHANNEL + c, self.everything[0], silent=c, noise_power=power),))

    def _swapped(self) -> Explanation | None:
        """Two channels, each in the place of the other.

        On a circle of five any such swap is another one and a mirror image of all bearings: two that explain the batch
        alike are both named.
        """
        n = self.spec.n_elements
        if not self.p + FEWEST_CHANNELS < n <= MOST_CHANNELS or self.spec.elevated:
            return None
        first, second = torch.triu_indices(n, n, 1)
        streams = self.everything.repeat(len(first), 1)
        item = torch.arange(len(first))
        streams[item, first], streams[item, second] = second, first
        place = self.everything.expand(len(first), -1)
        heard = self.covariance[streams[:, :, None], streams[:, None]]
        starts = torch.stack([from_nothing(self.free, heard, place, theta=theta) for theta in self._couplings()], 1)
        fitted = self.free.fit(self.covariance, self.lengths, starts, place, streams)
        cost, order = fitted.cost.nan_to_num(math.inf).sort()
        alike = order[: int((cost < cost[0] + SURE_NATS).sum())].tolist()
        if float(fitted.misfit.misfit[alike[0]]) >= self.enough or len(alike) > MOST_ALIKE:
            return None
        one = swapped(int(first[alike[0]]), int(second[alike[0]]))
        cause = one if len(alike) == 1 else CAUSES.index("channels swapped")
        return Explanation(cause, tuple(Remedy(cause, streams[i]) for i in sorted(alike)))

    def _couplings(self) -> torch.Tensor:
        """Parameters (S, K) to start from: none, and where the prior says little, some of it."""
        family = self.spec.family
        none = torch.zeros(1, family.n_parameters, dtype=torch.float64)
        if family.narrow:
            return none
        return torch.cat([none, family.draw((DRAWS,), torch.Generator().manual_seed(0))])

    def _noise(self, kind: str, n_sources: int) -> "_Rival | None":
        """A kind of noise that explains the observation; without remedy where the noise power is known."""
        h = Hypothesis(self.spec, n_sources, noise=kind)
        starts = h.noise_model.starts()
        x = [from_nothing(h, self.covariance[None], self.everything, u) for u in starts]
        if n_sources == self.p:
            own = h.noise_model.scaled(starts, self.start[-1:].expand(len(starts)))
            x.append(torch.cat([self.start[:-1].expand(len(starts), -1), own], 1))
        fitted = self._fit(h, torch.cat(x))
        if fitted is None:
            return None
        cause = CAUSES.index(NOISES[kind])
        k = (self.level * h.noise_covariance(fitted.x)[0]).float().double()
        remedies = () if self.noise_known else (Remedy(cause, self.everything[0], noise=k),)
        return _Rival(float(fitted.cost), float(fitted.misfit.misfit), Explanation(cause, remedies))

    @staticmethod
    def _likeliest(rivals: "list[_Rival | None]") -> Explanation | None:
        left = [r for r in rivals if r is not None]
        return min(left, key=lambda r: r.cost).explanation if left else None


def _start(spec: ArraySpec, e: "Estimates", scale: float) -> torch.Tensor:
    there = e.azimuth[0].isfinite()
    noise = e.noise_power[0] * scale
    power = (e.power[0, there] * scale).nan_to_num(0.0)
    theta = spec.family.project(e.coupling[0])
    directions = [e.azimuth[0, there]]
    if spec.elevated and e.elevation is not None:
        elevation = e.elevation[0, there]
        if is_flat(spec.positions):  # at the horizon its slope is zero, and nothing descends
            elevation = off_horizon(spec, elevation, OFF_HORIZON)
        directions.append(elevation)
    return torch.cat([*directions, torch.maximum(power, 0.01 * noise).log(), theta, noise.log()[None]])


def directions(h: Hypothesis, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Azimuths and elevations (P,) of a model, which has no walls: on the side of its plane that an array looks to."""
    azimuth, p = x[: h.n_sources], h.n_sources
    if not h.n_heights:
        return azimuth, None
    unit = direction(azimuth, x[p : 2 * p])
    array = extent_of(h.spec.positions)
    if array.dimensions < 3:
        middle = [torch.tensor(sum(ends) / 2, dtype=x.dtype) for ends in (h.spec.sector_rad, h.spec.elevation_rad)]
        ahead = array.axes[2] * torch.sign(array.axes[2] @ direction(*middle))
        unit = unit - 2 * (unit @ ahead).clamp_max(0)[:, None] * ahead
    low, high = h.spec.sector_rad
    turn = torch.atan2(unit[:, 1], unit[:, 0])
    return wrap_rad(turn, low if h.spec.full_circle else 0.5 * (low + high) - math.pi), unit[:, 2].clamp(-1, 1).asin()


def which_wall(spec: ArraySpec, azimuth: torch.Tensor, elevation: torch.Tensor | None = None) -> int:
    """Which border of the specification a model lies beyond that fits."""
    low, high = spec.sector_rad
    slack = math.radians(0.5)
    if not spec.full_circle and bool(((azimuth < low - slack) | (azimuth > high + slack)).any()):
        return CAUSES.index("outside the sector")
    if spec.elevated and elevation is not None:
        low, high = spec.elevation_rad
        if bool(((elevation < low - slack) | (elevation > high + slack)).any()):
            return CAUSES.index("outside the sector")
    return CAUSES.index("outside the prior")

"""All signals of a band share one array: one coupling and one set of channels, fitted together with all directions.

What a signal teaches of the coupling sharpens the directions of all others. The belief over the coupling is that of
method ``self-calibrating``; each signal has the positions of its own wavelength, and a scene of its own. The joint mode
is sought by Fisher scoring on the coupling, scenes eliminated; then every signal is fitted once more under what all
*others* say of the coupling, so that nothing is counted twice and its error bar holds what is not known of the array.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from doamc.angles import wrap_rad
from doamc.bands.model_error import CENTRE_DB, MOST_KEPT, Misfit, counted, model_error
from doamc.coupling.drawn import DrawnFamily
from doamc.selfcal.belief import Belief, initial_belief, response_matrix
from doamc.selfcal.joint import Fit, fit_batch
from doamc.selfcal.observation import Observation, at_level
from doamc.selfcal.places import Places
from doamc.selfcal.scene import belief_coordinates, known_family, start_points
from doamc.selfcal.seeds import nearest_parameters
from doamc.selfcal.start import start_family
from doamc.selfcal.window import BatchStack, kept_batch
from doamc.spec import ArraySpec

SPREAD_DB = -30.0  #: how far the coupling of one kind of builder may lie outside its family
EXACT_DB = -60.0  #: the same of an array that is as its specification tells
SAME_DB = 1.5  #: change of the model's error that is worth another fit
MOST_STARTS = 4  #: couplings that single signals suggest, where the family's mean is none that the array may have
STEPS, SCENE_STEPS, HALVINGS = 8, 3, 3
SETTLED = 0.05  #: gain in nats that is not worth another step


@dataclass(frozen=True)
class Heard:
    """One signal: the array at its wavelength, and what was observed.

    azimuth: (P,) rad, near which its sources are. coupling: (N, N), that it alone suggests. snr: of a source at one
    element, linear.
    """

    spec: ArraySpec
    observed: Observation
    azimuth: torch.Tensor
    coupling: torch.Tensor
    snr: float

    def under(self, error: float) -> "Heard":
        """The same, with as many snapshots as have the noise of what responses err by, and of the noise, together."""
        o = self.observed
        least = min(o.snapshots, 2.0 * o.covariance.shape[1])
        return replace(self, observed=replace(o, snapshots=max(least, counted(o.snapshots, self.snr, error))))


@dataclass(frozen=True)
class Placed:
    """Sources of a signal: azimuth and std (P,) in rad, ascending.

    power: (P,), 1 in the mean of the signal's sources. coupling: (N, N) of the array.
    """

    azimuth: torch.Tensor
    std: torch.Tensor
    power: torch.Tensor
    coupling: torch.Tensor


def heard(
    spec: ArraySpec, covariance: torch.Tensor, snapshots: float, azimuth: torch.Tensor, coupling: torch.Tensor
) -> Heard:
    """A signal of covariance (N, N), in the order of the elements, of so many snapshots; what it alone suggested."""
    values, p = torch.linalg.eigvalsh(covariance), len(azimuth)
    noise = values[:-p].mean()
    snr = float((values[-p:].mean() - noise) / noise) / len(values)
    return Heard(spec, at_level(covariance[None], snapshots, None, p), azimuth, coupling, max(snr, 1e-9))


Stacks = list[tuple[Heard, BatchStack]]


class OneArray:
    """The belief over the coupling of one array: of each kind of builder a prior, and what was learnt from signals.

    error: power by which responses err, against theirs, as signals have shown it so far.
    """

    def __init__(self, spec: ArraySpec) -> None:
        narrow = spec.family.narrow
        spreads = (SPREAD_DB,) if narrow else (None, EXACT_DB)  # a family as it is told may be all there is, or not
        self._kinds = [
            _Kind(start_family(spec.with_family(f), spread), share, narrow)
            for share, f, _ in spec.family.kinds for spread in spreads
        ]  # fmt: skip
        self.error = 10 ** (CENTRE_DB / 10)
        self._misfits: list[Misfit] = []

    def __call__(self, heard: Sequence[Heard], sure: Sequence[bool]) -> list[Placed]:
        """Learn the coupling of all signals together; where each is by what the others, and the past, say.

        sure: whether each may teach anything.
        """
        before = [(k.belief, k.log_weight) for k in self._kinds]
        fits = self._fits(heard, sure)
        best = max(self._kinds, key=lambda k: k.log_weight)
        misfits = (self._misfits + best.misfits)[-MOST_KEPT:]
        error = model_error(misfits, best.coupled * len(misfits) / max(1, len(best.misfits)))
        if abs(math.log10(error / self.error)) > 0.1 * SAME_DB:
            self.error = error
            for kind, (belief, weight) in zip(self._kinds, before, strict=True):
                kind.belief, kind.log_weight = belief, weight
            fits = self._fits(heard, sure)
        self._misfits = misfits
        return self._mixed(heard, fits)

    def _fits(self, heard: Sequence[Heard], sure: Sequence[bool]) -> list[list[Fit]]:
        told = [h.under(self.error) for h in heard]
        return [kind.fit(told, sure, [h.observed.snapshots for h in heard]) for kind in self._kinds]

    def place(self, heard: Sequence[Heard]) -> list[Placed]:
        """Where signals are by what has been learnt so far; nothing is learnt from them."""
        return self._mixed(heard, [[kind.alone(h.under(self.error)) for h in heard] for kind in self._kinds])

    @property
    def family(self) -> DrawnFamily:
        """The responses that are believed in, as a family without parameters."""
        belief = max(self._kinds, key=lambda k: k.log_weight).belief
        return known_family(belief.family.mean, belief.start)

    def _mixed(self, heard: Sequence[Heard], fits: Sequence[Sequence[Fit]]) -> list[Placed]:
        weight = torch.tensor([k.log_weight for k in self._kinds], dtype=torch.float64).softmax(0)
        coupling = self._kinds[int(weight.argmax())].belief.coupling
        return [_mixed([f[i] for f in fits], weight, coupling, h.spec.full_circle) for i, h in enumerate(heard)]


@dataclass
class _Kind:
    """One kind of builder: its prior, what is believed, and its log probability up to a constant."""

    start: DrawnFamily
    log_weight: float
    narrow: bool
    belief: Belief = field(init=False)
    misfits: list[Misfit] = field(init=False, default_factory=list)
    coupled: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.belief = initial_belief(self.start)

    def fit(self, everyone: Sequence[Heard], sure: Sequence[bool], snapshots: Sequence[float]) -> list[Fit]:
        """Fit of each signal under what the others say; the belief is then that of all that are sure.

        snapshots: that each signal has, of which fewer count.
        """
        heard = [h for h, s in zip(everyone, sure, strict=True) if s]
        tried = [self._joint([self._stack(h, z) for h in heard], z) for z in self._starts(heard)]
        stacks, z, value = max(tried, key=lambda found: found[2])
        each = [self._reduced(s, z) for s in stacks]
        gradient, information = _summed(each)
        whole = self.belief.plus(gradient, information, z)
        own_snapshots = [n for n, s in zip(snapshots, sure, strict=True) if s]
        self.misfits = [self._misfit(s, z, n) for s, n in zip(stacks, own_snapshots, strict=True)]
        # dimensions that these signals have told of the coupling
        self.coupled = float(torch.linalg.solve(whole.gathered + torch.eye(len(z)), information).diagonal().sum())
        out, own = [], iter(each)
        for h, s in zip(everyone, sure, strict=True):
            g, i = next(own) if s else (torch.zeros_like(gradient), torch.zeros_like(information))
            out.append(self.alone(h, self.belief.plus(gradient - g, information - i, z)))
        # Laplace's approximation of the evidence; scenes count alike in all kinds
        self.log_weight += value - float((whole.root.diagonal() / self.belief.root.diagonal()).log().sum())
        self.belief = whole
        return out

    def alone(self, h: Heard, belief: Belief | None = None) -> Fit:
        """Fit of a signal under a belief; None: what is believed now."""
        places = Places(h.spec, self.start.n_blocks)
        return fit_batch(h.spec, places, belief or self.belief, h.observed, [], False).fit()

    def _starts(self, heard: Sequence[Heard]) -> list[torch.Tensor]:
        """Parameters (K,) to begin at."""
        out = [self.belief.mean]
        if not self.narrow and not self.belief.gathered.any():
            strong = sorted(heard, key=lambda h: (h.observed.n_sources, h.observed.snapshots), reverse=True)
            out += [nearest_parameters(self.start, h.coupling) for h in strong[:MOST_STARTS]]
        return out

    def _stack(self, h: Heard, z: torch.Tensor) -> tuple[Heard, BatchStack]:
        known = known_family(response_matrix(self.start, z), self.start)
        coordinates = belief_coordinates(h.spec, known, len(h.azimuth), True)
        scene = start_points(coordinates, h.azimuth[None, :, None], h.observed.covariance, None)[0, :, 0]
        return h, BatchStack([kept_batch(h.observed, scene)], [0], 1.0)

    def _joint(self, stacks: Stacks, z: torch.Tensor) -> tuple[Stacks, torch.Tensor, float]:
        """Stacks with their scenes moved to the most probable z (K,), this, and its log density."""
        value = self._profile(stacks, z)
        for _ in range(STEPS):
            gradient, information = _summed([self._reduced(s, z) for s in stacks])
            precision = self.belief.gathered + information + torch.eye(len(z), dtype=z.dtype)
            step = torch.linalg.solve(precision, gradient + self.belief.pull - z - self.belief.gathered @ z)
            if 0.5 * float(step @ precision @ step) < SETTLED:
                break
            before = [s.scene for _, s in stacks]
            for k in range(HALVINGS):
                tried = z + 0.5**k * step
                fresh = self._profile(stacks, tried)
                if fresh > value:
                    break
                for (_, s), scene in zip(stacks, before, strict=True):
                    s.scene = scene
            else:
                break
            z, value = tried, fresh
        return stacks, z, value

    def _reduced(self, stack: tuple[Heard, BatchStack], z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        family = replace(self.start, mean=response_matrix(self.start, z))
        gradient, information = stack[1].reduced(stack[0].spec, family)
        return gradient[0], 0.5 * (information[0] + information[0].T)

    def _misfit(self, stack: tuple[Heard, BatchStack], z: torch.Tensor, snapshots: float) -> Misfit:
        """Lack of fit of a signal's response at z (K,), without what noise does to the rest of its covariance."""
        h, kept = stack
        n, p, used = h.observed.covariance.shape[1], len(h.azimuth), h.observed.snapshots
        known = known_family(response_matrix(self.start, z), self.start)
        posterior = kept.posterior(h.spec, known)
        value = float(posterior(posterior.coordinates.clip(kept.scene[:, :, None]))[0, 0])
        whole = -used * (float(torch.linalg.slogdet(h.observed.covariance[0])[1]) + n)
        rest = ((n - p) ** 2 - 1) / (2 * snapshots)  # a shape of the noise
        return Misfit(snapshots, h.snr, p * (2 * (n - p) - 1), max(0.0, (whole - value) / used - rest))

    def _profile(self, stacks: Stacks, z: torch.Tensor) -> float:
        known = known_family(response_matrix(self.start, z), self.start)
        b = self.belief
        value = float(b.pull @ z - 0.5 * (z @ z + z @ b.gathered @ z))
        return value + sum(s.move_scenes(h.spec, known, SCENE_STEPS) for h, s in stacks)


def _summed(each: Sequence[tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Sums of gradients and information."""
    gradients, information = zip(*each, strict=True)
    return torch.stack(gradients).sum(0), torch.stack(information).sum(0)


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

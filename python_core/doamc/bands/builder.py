"""One kind of builder: its prior over the responses of an array, and what signals have taught of them.

The joint mode is sought by Fisher scoring on the coupling, scenes eliminated; then every signal is fitted once more
under what all *others* say of the coupling, so that nothing is counted twice and its error bar holds what is not known
of the array.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from doamc.bands.heard import Heard
from doamc.bands.model_error import Misfit
from doamc.coupling.drawn import DrawnFamily
from doamc.selfcal.belief import Belief, initial_belief, response_matrix
from doamc.selfcal.joint import Fit, fit_batch
from doamc.selfcal.places import Places
from doamc.selfcal.scene import belief_coordinates, known_family, start_points
from doamc.selfcal.seeds import nearest_parameters
from doamc.selfcal.window import BatchStack, kept_batch

MOST_STARTS = 4  #: couplings that single signals suggest, where the family's mean is none that the array may have
STEPS, SCENE_STEPS, HALVINGS = 8, 3, 3
SETTLED = 0.05  #: gain in nats that is not worth another step

Stacks = list[tuple[Heard, BatchStack]]


@dataclass
class Builder:
    """Its prior, what is believed, and its log probability up to a constant."""

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

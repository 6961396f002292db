"""The last batches, kept as sufficient statistics with their own scenes, to be fitted again with one shared coupling.

A belief that is only ever added to freezes every batch's linearisation where the coupling was believed to be at that
time; directions which are hardly observed (a slope of phases along a line) then seem to be known. Fitted again
together, the batches of the window share one linearisation; what leaves the window is kept as information.
"""

from dataclasses import dataclass, replace

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import likelihood_information
from doamc.likelihood.mode_search import search_modes
from doamc.selfcal.observation import Observation
from doamc.selfcal.scene import belief_coordinates
from doamc.spec import ArraySpec


@dataclass(frozen=True)
class KeptBatch:
    """One batch at the level of its fit. scene: (d,) coordinates without the coupling. weight: 0..1."""

    covariance: torch.Tensor
    snapshots: float
    noise_power: float | None
    n_sources: int
    scene: torch.Tensor
    weight: float = 1.0

    @property
    def kind(self) -> tuple[int, bool]:
        """What batches must have in common to be computed together."""
        return self.n_sources, self.noise_power is None


def kept_batch(observed: Observation, scene: torch.Tensor) -> KeptBatch:
    """What is kept of a batch and the scene (d,) that was found in it."""
    return KeptBatch(observed.covariance[0], observed.snapshots, observed.noise_power, observed.n_sources, scene)


@dataclass(frozen=True)
class Window:
    """Batches, oldest first; faded: weight that all of them have lost since they were stored."""

    batches: tuple[KeptBatch, ...] = ()
    faded: float = 1.0

    def forget(self, share: float) -> "Window":
        """The window with all batches weighted by share."""
        return Window(self.batches, self.faded * share)

    def add(self, batch: KeptBatch) -> "Window":
        """The window with one more batch, of full weight."""
        return Window((*self.batches, replace(batch, weight=1 / self.faded)), self.faded)

    def split(self, count: int) -> tuple["Window", "Window"]:
        """The oldest batches and the rest."""
        return Window(self.batches[:count], self.faded), Window(self.batches[count:], self.faded)

    def groups(self) -> list["BatchStack"]:
        """The batches in groups of one kind."""
        kinds = sorted({b.kind for b in self.batches})
        places = [[i for i, b in enumerate(self.batches) if b.kind == kind] for kind in kinds]
        return [BatchStack([self.batches[i] for i in where], where, self.faded) for where in places]

    def moved(self, groups: list["BatchStack"]) -> "Window":
        """The window with the scenes that its groups have now, its weights written out."""
        batches = list(self.batches)
        for g in groups:
            for i, scene, weight in zip(g.where, g.scene, g.weight.tolist(), strict=True):
                batches[i] = replace(batches[i], scene=scene, weight=weight)
        return Window(tuple(batches))


class BatchStack:
    """Batches of one kind, stacked; B of them. where: their places in the window."""

    def __init__(self, batches: list[KeptBatch], where: list[int], faded: float) -> None:
        self.where = where
        self.n_sources, self.unknown_noise = batches[0].kind
        self.covariance = torch.stack([b.covariance for b in batches])
        self.snapshots = torch.tensor([b.snapshots for b in batches], dtype=torch.float64)
        self.weight = faded * torch.tensor([b.weight for b in batches], dtype=torch.float64)
        noise = [b.noise_power for b in batches if b.noise_power is not None]
        self.noise_power = torch.tensor(noise, dtype=torch.float64) if noise else None
        self.scene = torch.stack([b.scene for b in batches])

    def posterior(self, spec: ArraySpec, family: DrawnFamily) -> ExactPosterior:
        """Posterior of the batches for a family."""
        coordinates = belief_coordinates(spec, family, self.n_sources, self.unknown_noise)
        return ExactPosterior(coordinates, self.covariance, self.snapshots, self.noise_power)

    def move_scenes(self, spec: ArraySpec, known: DrawnFamily, steps: int) -> float:
        """Move every scene to the most probable one at a known coupling; their weighted log likelihood there."""
        posterior = self.posterior(spec, known)
        x = posterior.coordinates.clip(self.scene[:, :, None])
        x, value = search_modes(posterior, x, posterior(x), steps, 1)
        self.scene = x[:, :, 0]
        return float(self.weight @ value[:, 0])

    def reduced(self, spec: ArraySpec, family: DrawnFamily) -> tuple[torch.Tensor, torch.Tensor]:
        """Gradient (B, K) and information (B, K, K) of a family's parameters at zero, scenes eliminated."""
        posterior = self.posterior(spec, family)
        own = posterior.coordinates.normal
        zero = self.scene.new_zeros(len(self.scene), family.n_parameters)
        x = torch.cat([self.scene[:, : own.start], zero, self.scene[:, own.start :]], 1)
        gradient, information = likelihood_information(posterior, x[:, :, None])
        return eliminate_scene(gradient[:, 0], information[:, 0], own)


def eliminate_scene(
    gradient: torch.Tensor,  # shape: (B, d)
    information: torch.Tensor,  # shape: (B, d, d)
    own: slice,  # of the coupling's coordinates
) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradient (B, K) and information (B, K, K) of the coupling with the scene's own coordinates eliminated (Schur)."""
    mine = torch.zeros(gradient.shape[1], dtype=torch.bool)
    mine[own] = True
    scene = (~mine).nonzero()[:, 0]
    cross = information[:, own][:, :, scene]
    block = information[:, scene][:, :, scene]
    block = block + torch.diag_embed(1e-9 * block.diagonal(dim1=1, dim2=2) + 1e-12)
    right = torch.cat([cross.mT, gradient[:, scene, None]], 2)
    solved = torch.linalg.solve(block, right)
    return gradient[:, own] - (cross @ solved[..., -1:])[..., 0], information[:, own, own] - cross @ solved[..., :-1]

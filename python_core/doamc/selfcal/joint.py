"""One batch under a belief: directions, powers, noise and coupling together, at the modes of their posterior."""

import math
from dataclasses import dataclass

import torch

from doamc.angles import wrap_rad
from doamc.coupling.drawn import DrawnFamily
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.fisher import likelihood_information
from doamc.selfcal.belief import Belief
from doamc.selfcal.horizon import Elevations, elevation_law, folds
from doamc.selfcal.observation import Observation
from doamc.selfcal.places import Places
from doamc.selfcal.scene import belief_coordinates, fit_scenes, known_family, start_points
from doamc.selfcal.window import eliminate_scene
from doamc.spec import ArraySpec

SCENE_STEPS, JOINT_STEPS = 4, 8  #: of the mode search at the believed coupling, then together with it
TOGETHER = 2  #: scenes whose mode is sought together with the coupling
FAR = 40.0  #: nats below the best at which a scene is left, once the belief is no longer broad
SAME_DEG = 1.0  #: modes whose azimuths all lie closer are one


@dataclass(frozen=True)
class Fit:
    """Modes of one batch, M of them, heaviest first.

    azimuth, std, and of an array with elevations elevation, elevation_std: (M, P) rad. law: of elevations of a flat
    array, where they are not normal. log_mass: (M,), Laplace's approximation. Of the heaviest: log_power (P,) and
    log_noise, natural, z (K,) of the coupling, scene (d,) for a window, log_density, and the information (K, K) on z
    that the batch adds.
    """

    azimuth: torch.Tensor
    log_mass: torch.Tensor
    std: torch.Tensor
    log_power: torch.Tensor
    log_noise: float
    z: torch.Tensor
    scene: torch.Tensor
    log_density: float
    information: torch.Tensor
    elevation: torch.Tensor | None = None
    elevation_std: torch.Tensor | None = None
    law: Elevations | None = None

    @property
    def share(self) -> torch.Tensor:
        """Probabilities of the modes, (M,)."""
        return torch.softmax(self.log_mass, 0)

    @property
    def log_evidence(self) -> float:
        """Log of the probability of the batch given the belief, up to a constant of the batch."""
        return float(torch.logsumexp(self.log_mass, 0))


def fit_batch(
    spec: ArraySpec,
    places: Places,
    belief: Belief,
    observed: Observation,
    seeds: list[tuple[torch.Tensor, torch.Tensor]],  # directions, as the last coordinates, and z (K,) to try as well
    broad: bool,
) -> "Modes":
    """Modes of a batch's posterior under a belief. broad: whether more starts are worth their time."""
    p, family = observed.n_sources, belief.family
    x = scenes_at(spec, places, family, observed, broad)
    coordinates = belief_coordinates(spec, family, p, observed.noise is None)
    own = coordinates.normal
    x = torch.cat([x[:, :p], x.new_zeros(1, family.n_parameters, x.shape[2]), x[:, p:]], 1)
    for directions, z in seeds:
        more = x[:, :, :1].clone()
        more[0, own, 0] = belief.root.T @ (z - belief.mean)
        more[0, coordinates.size - len(directions) :, 0] = directions
        x = torch.cat([x, coordinates.clip(more)], 2)
    posterior, x, value = fit_scenes(
        coordinates, observed.covariance, observed.length, observed.noise, x, JOINT_STEPS, max(TOGETHER, x.shape[2])
    )
    return Modes(belief, posterior, x, value)


def scenes_at(spec: ArraySpec, places: Places, family: DrawnFamily, observed: Observation, broad: bool) -> torch.Tensor:
    """Scenes (1, d, G) of a batch at the mean of a family, best first."""
    known = known_family(family.mean, family)
    coordinates = belief_coordinates(spec, known, observed.n_sources, observed.noise is None)
    azimuth, elevation = places(known, observed.covariance, observed.n_sources)
    x = start_points(coordinates, azimuth, observed.covariance, observed.noise, elevation)
    _, x, value = fit_scenes(coordinates, observed.covariance, observed.length, observed.noise, x, SCENE_STEPS, 3)
    if broad:
        return x
    angles = (2 if spec.elevated else 1) * observed.n_sources
    apart = (x[0, -angles:] - x[0, -angles:, :1]).abs().amax(0)
    other = (value[0] > value[0, 0] - FAR) & (apart > math.radians(SAME_DEG))
    return torch.cat([x[:, :, :1], x[:, :, other][:, :, : TOGETHER - 1]], 2)


class Modes:
    """Points (1, d, G) found under a belief, with their log density (1, G); each can be had as a `Fit`."""

    def __init__(self, belief: Belief, posterior: ExactPosterior, x: torch.Tensor, value: torch.Tensor) -> None:
        self.belief, self.posterior, self.x, self.value = belief, posterior, x, value
        coordinates = posterior.coordinates
        self.gradient, self.information = likelihood_information(posterior, x)
        whole = self.information[0].clone()
        whole[:, coordinates.normal, coordinates.normal] += torch.eye(coordinates.n_flat, dtype=whole.dtype)
        if coordinates.spec.elevated:  # at the horizon a flat array tells nothing of them
            prior = torch.diag(posterior.constants.prior_precision)
            place = coordinates.size - coordinates.n_sources - torch.arange(1, coordinates.n_sources + 1)
            whole[:, place, place] += prior[place, place]
        self.root = torch.linalg.cholesky(whole + torch.diag_embed(1e-9 * whole.diagonal(dim1=1, dim2=2)))
        self.mass = value[0] - self.root.diagonal(dim1=1, dim2=2).log().sum(1)
        self.azimuth, self.order = x[0, coordinates.size - coordinates.n_sources :].T.sort(1)
        heights, self.elevation = coordinates.heights(x), None
        if heights is not None:
            self.elevation = heights[0].T.asin().gather(1, self.order)
        both = self.azimuth if self.elevation is None else torch.cat([self.azimuth, self.elevation], 1)
        self.places = distinct(both, self.mass, coordinates.spec.full_circle)

    def fit(self) -> Fit:
        """The heaviest mode, with the others beside it."""
        return self.at(int(self.places[0]), self.places)

    def each(self) -> list[Fit]:
        """A fit at every point, as if it were the only mode, heaviest first."""
        return [self.at(i, torch.tensor([i])) for i in self.mass.argsort(descending=True).tolist()]

    def at(self, i: int, modes: torch.Tensor) -> Fit:
        """Fit at point i, with modes of these indices."""
        coordinates, belief, point, order = self.posterior.coordinates, self.belief, self.x[0, :, i], self.order[i]
        own, p = coordinates.normal, coordinates.n_sources
        whole = torch.cholesky_inverse(self.root[modes]).diagonal(dim1=1, dim2=2)
        variance, elevation, tilt, law = whole[:, coordinates.size - p :], None, None, None
        if self.elevation is not None:
            elevation = self.elevation[modes]
            heights = whole[:, coordinates.size - 2 * p : coordinates.size - p]  # sines of elevations
            tilt = heights.sqrt().gather(1, self.order[modes]) / elevation.cos()
            if folds(coordinates):
                law = elevation_law(self.posterior, self.x[:, :, modes]).ordered(self.order[modes])
        _, information = eliminate_scene(self.gradient[:, i], self.information[:, i], own)
        turned = belief.root @ information[0] @ belief.root.T
        noise = coordinates.split(self.x[:, :, i : i + 1])[2]
        return Fit(
            azimuth=self.azimuth[modes],
            log_mass=self.mass[modes],
            std=variance.sqrt().gather(1, self.order[modes]),
            log_power=2 * point[:p][order],
            log_noise=float(self.posterior.log_noise(noise)[0, 0]),
            z=belief.mean + belief.covariance_root @ point[own],
            scene=torch.cat([point[: own.start], point[own.stop :]]),
            log_density=float(self.value[0, i]),
            information=0.5 * (turned + turned.T),
            elevation=elevation,
            elevation_std=tilt,
            law=law,
        )


def distinct(azimuth: torch.Tensor, mass: torch.Tensor, wraps: bool) -> torch.Tensor:
    """Indices of points (G, P), or (G, 2 P) of both angles, that lie apart from every heavier one, heaviest first."""
    kept: list[int] = []
    for i in mass.argsort(descending=True).tolist():
        apart = azimuth[kept] - azimuth[i]
        if wraps:
            apart = wrap_rad(apart)
        if not bool((apart.abs().amax(1) < math.radians(SAME_DEG)).any()):
            kept.append(i)
    return torch.tensor(kept)

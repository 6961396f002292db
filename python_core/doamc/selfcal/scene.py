"""The sources of batches under a belief or under a known coupling: starts, and the modes found from them."""

from dataclasses import replace

import torch

from doamc.coupling.drawn import DrawnFamily
from doamc.estimators.powers import source_powers
from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.likelihood.mode_search import search_modes
from doamc.likelihood.separation import separate
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import ArraySpec

POWER_MARGIN_DB = 20.0  #: by which powers may lie outside the specification's range: a receiver has its own scale
NOISE_DB = (-100.0, 40.0)  #: range of an unknown noise power over the mean source power
LEAST_POWER_DB = -8.0  #: of a start: without power a source has no gradient either, and the search would stay there
LEAST_SEPARATION_DEG = 3.0  #: emitters that cross come closer than a specification says; held apart, they would bend C


def belief_coordinates(spec: ArraySpec, family: DrawnFamily, n_sources: int, unknown_noise: bool) -> Coordinates:
    """Coordinates of an array whose coupling family is a belief."""
    own = replace(spec, min_separation_deg=min(spec.min_separation_deg, LEAST_SEPARATION_DEG))
    return make_coordinates(own.with_family(family), n_sources, unknown_noise, NOISE_DB, POWER_MARGIN_DB)


def known_family(matrix: torch.Tensor, like: DrawnFamily) -> DrawnFamily:
    """The family of one matrix (N, J N), without parameters."""
    return replace(like, mean=matrix, patterns=matrix.new_zeros(0, *matrix.shape))


def start_points(
    coordinates: Coordinates,
    azimuth: torch.Tensor,  # shape: (B, P, Q), rad
    covariance: torch.Tensor,  # shape: (B, N, N)
    noise_power: torch.Tensor | None,  # shape: (B,) where known
    elevation: torch.Tensor | None = None,  # shape: (B, P, Q), rad, where the array has elevations
) -> torch.Tensor:
    """Scenes (B, d, Q) at directions and the family's mean: powers by least squares, noise by eigenvalues."""
    spec, (b, p, q) = coordinates.spec, azimuth.shape
    family = spec.family
    azimuth = separated(azimuth, coordinates) if elevation is None else azimuth
    noise = noise_power_from_eigenvalues(covariance, p) if noise_power is None else noise_power
    flat = azimuth.transpose(1, 2)
    tilt = 0.0 if elevation is None else elevation.transpose(1, 2)
    v = family.response(flat.new_zeros(b, q, family.n_parameters), spec.positions, flat, tilt)
    each = (covariance[:, None].expand(-1, q, -1, -1).flatten(0, 1), v.flatten(0, 1), noise.repeat_interleave(q))
    power_db = 10 * source_powers(*each).unflatten(0, (b, q)).log10().transpose(1, 2)
    noise_db = (10 * noise.log10())[:, None, None].expand(b, 1, q)
    power_db, none = power_db.clamp_min(LEAST_POWER_DB), azimuth.new_zeros(b, coordinates.n_flat, q)
    return coordinates.clip(coordinates.join(power_db, none, noise_db, azimuth, azimuth[:, :0], None, elevation))


def separated(azimuth: torch.Tensor, coordinates: Coordinates) -> torch.Tensor:
    """Azimuths (B, P, Q) pushed apart to the least separation."""
    return separate(azimuth.transpose(1, 2).sort(-1)[0], coordinates).transpose(1, 2)


def fit_scenes(
    coordinates: Coordinates,
    covariance: torch.Tensor,  # shape: (B, N, N)
    snapshots: torch.Tensor,  # shape: (B,)
    noise_power: torch.Tensor | None,  # shape: (B,) where known
    x: torch.Tensor,  # shape: (B, d, Q)
    steps: int,
    survivors: int,
) -> tuple[ExactPosterior, torch.Tensor, torch.Tensor]:
    """Posterior, points (B, d, G) found from starts x, best first, and their log posterior (B, G)."""
    posterior = ExactPosterior(coordinates, covariance, snapshots, noise_power)
    x, value = search_modes(posterior, x, posterior(x), steps, survivors, 2)
    value, order = value.sort(1, descending=True)
    return posterior, x.gather(2, order[:, None].expand_as(x)), value

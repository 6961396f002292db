"""Scenes and coordinates that several tests use."""

import numpy as np
import torch

from doamc.likelihood.coordinates import Coordinates, make_coordinates
from doamc.likelihood.density import ExactPosterior
from doamc.scenes.prior import Scene, draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import ArraySpec, load_spec, parse_spec


def observed(
    array: str | ArraySpec, batch: int, n_sources: int, snapshots: int, snr_db: float, seed: int = 1
) -> tuple[Scene, torch.Tensor, torch.Tensor]:
    """Scenes, sample covariances (B, N, N) and L (B,)."""
    scene = draw_scene(load_spec(array), batch, n_sources, snr_db, torch.Generator().manual_seed(seed))
    count = torch.full((batch,), float(snapshots), dtype=torch.float64)
    return scene, draw_covariance(scene.covariance, count, np.random.default_rng(seed)), count


def coordinates_of(scene: Scene, unknown_noise: bool = True) -> Coordinates:
    """Coordinates for the scenes of a batch."""
    return make_coordinates(scene.spec, scene.azimuth.shape[1], unknown_noise, (-60.0, 40.0))


def point_of(coordinates: Coordinates, scene: Scene) -> torch.Tensor:
    """Scenes as points (B, d, 1)."""
    c = scene.spec.family.complex(scene.theta)
    noise_db = 10 * scene.noise_power.log10()[:, None, None]
    power_db = 10 * scene.power.log10()[..., None]
    directions = scene.azimuth[..., None], c.angle()[..., None]
    elevation = None if scene.elevation is None else scene.elevation[..., None]
    return coordinates.join(power_db, c.abs()[..., None], noise_db, *directions, elevation=elevation)


def posterior_of(
    coordinates: Coordinates, scene: Scene, covariance: torch.Tensor, count: torch.Tensor
) -> ExactPosterior:
    """Log posterior with the noise known or unknown, as the coordinates have it."""
    return ExactPosterior(coordinates, covariance, count, None if coordinates.unknown_noise else scene.noise_power)


def toy_spec() -> ArraySpec:
    """Three elements, one source, coupling and power all but fixed: the posterior is over the azimuth alone."""
    return parse_spec(
        {
            "name": "toy",
            "geometry": {"kind": "ula", "elements": 3, "spacing_wavelengths": 0.5},
            "sector": {"azimuth_deg": [-60.0, 60.0], "min_separation_deg": 5.0},
            "coupling": {"family": "symmetric-toeplitz", "magnitude": [[0.3, 0.3001]], "phase_deg": 0.01},
            "sources": {"count": [1, 1], "power_db": [-0.001, 0.0]},
            "snapshots": {"count": [1, 100], "snr_db": [-10.0, 20.0]},
        }
    )

"""Scenes as points of the exact posterior."""

import torch

from doamc.likelihood.coordinates import Coordinates
from doamc.scenes.prior import Scene


def scene_points(coordinates: Coordinates, scene: Scene) -> torch.Tensor:
    """Points (B, d, 1) of scenes of uncorrelated sources, moved just inside the prior's box."""
    flat, wrapping = scene.spec.family.coordinates(scene.theta)
    noise_db = 10 * scene.noise_power.log10()[:, None, None]
    power_db = 10 * scene.power.log10()[..., None]
    elevation = None if scene.elevation is None else scene.elevation[..., None]
    x = coordinates.join(
        power_db, flat[..., None], noise_db, scene.azimuth[..., None], wrapping[..., None], None, elevation
    )
    return coordinates.clip(x)

"""Scenes as points."""

import pytest
import torch

from doamc.likelihood.coordinates import NEPER_PER_DB
from doamc.likelihood.scene_points import scene_points
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16", "kraken5", "panel16"])
def test_a_scene_is_its_point(array):
    scene = observed(array, 6, 2, 50, 10.0)[0]
    coordinates = coordinates_of(scene)
    x = scene_points(coordinates, scene)
    amplitude, size, noise, azimuth, phase = coordinates.split(x)
    assert coordinates.inside(x).all()
    if array != "kraken5":  # whose coupling is drawn from antennas
        assert torch.allclose(x, point_of(coordinates, scene), atol=1e-4)
    theta = scene.spec.family.from_coordinates(size.transpose(1, 2), phase.transpose(1, 2))[:, 0]
    for found, expected in (
        (azimuth[..., 0], scene.azimuth),
        (amplitude[..., 0], NEPER_PER_DB * 10 * scene.power.log10()),
        (noise[:, 0, 0], scene.noise_power.log()),
        (theta, scene.theta),
    ):
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)

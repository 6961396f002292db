"""Directions drawn on the sphere."""

import math

import pytest
import torch
from scipy import stats

from doamc.errors import SpecificationError
from doamc.scenes import draw_scene
from doamc.scenes.directions import apart, draw_directions
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec

PANEL = load_spec("panel16")


def test_one_source_is_uniform_on_the_sphere():
    azimuth, elevation = draw_directions(PANEL, 4000, 1, torch.Generator().manual_seed(1))
    assert stats.kstest(azimuth[:, 0], stats.uniform(math.radians(-60), math.radians(120)).cdf).pvalue > 1e-3
    top = math.sin(math.radians(40))
    assert stats.kstest(elevation[:, 0].sin(), stats.uniform(-top, 2 * top).cdf).pvalue > 1e-3


@pytest.mark.parametrize("array", ["dome8", "panel16"])
def test_sources_ascend_and_keep_the_least_great_circle(array):
    spec = load_spec(array)
    azimuth, elevation = draw_directions(spec, 300, 3, torch.Generator().manual_seed(2))
    assert (azimuth.diff(dim=1) >= 0).all() and apart(spec, azimuth, elevation).all()
    low, high = spec.elevation_rad
    assert (elevation >= low).all() and (elevation <= high).all()
    # by the haversine of the angle between two, another way to write it
    a, b = elevation[:, 0], elevation[:, 1]
    turn = azimuth[:, 0] - azimuth[:, 1]
    haversine = ((a - b) / 2).sin() ** 2 + a.cos() * b.cos() * (turn / 2).sin() ** 2
    assert (2 * haversine.sqrt().asin()).rad2deg().min() > spec.min_separation_deg


def test_sources_without_room_are_refused():
    narrow = edited_spec("panel16", sector={"min_separation_deg": 170.0})
    with pytest.raises(SpecificationError, match="2 sources at least 170 deg apart do not fit"):
        draw_directions(narrow, 2, 2, torch.Generator().manual_seed(3))


def test_scenes_are_received_from_their_directions():
    """Of one lattice coefficient: neighbours of a row couple, and the phases are those of positions and directions."""
    scene = draw_scene(PANEL, 5, 2, 10.0, torch.Generator().manual_seed(4))
    some = scene.select(torch.tensor([3, 1]))
    assert torch.equal(some.elevation, scene.elevation[[3, 1]])
    az, el = scene.azimuth[0], scene.elevation[0]
    unit = torch.stack([el.cos() * az.cos(), el.cos() * az.sin(), el.sin()])
    a = torch.exp(2j * math.pi * (PANEL.positions @ unit))
    assert torch.allclose(scene.coupling[0] @ a, scene.response[0])
    c = scene.coupling[0]
    assert c[0, 1] == c[5, 6] == c[6, 5] and c[0, 4] == c[9, 5] and c[0, 5] == c[6, 9] and c[0, 2] == 0

"""Errors against elevation: which sources a bin has, and what is told of them."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.bounds import cramer_rao
from doamc.estimators.estimates import Estimates
from doamc.scenes import draw_scene
from doamc.spec import load_spec
from doamc.trials.by_elevation import BINS, by_elevation

DOME = load_spec("dome8")


def found(scene, turn_deg=0.0, raise_deg=0.0):
    """Estimates that are off by so much, sources in another order."""
    azimuth, elevation = (x.flip(1) for x in (scene.azimuth, scene.elevation))
    none, count = torch.full_like(azimuth, math.nan), torch.full((len(azimuth),), azimuth.shape[1])
    turned = azimuth + math.radians(turn_deg)
    return Estimates(turned, none, none, scene.coupling, scene.noise_power, count,
                     elevation=elevation + math.radians(raise_deg))  # fmt: skip


def case(scenes=300):
    scene = draw_scene(DOME, scenes, 2, 20.0, torch.Generator().manual_seed(1))
    return scene, cramer_rao(scene, 200)


def test_bins_hold_as_many_sources_each_and_errors_by_angle():
    scene, bound = case()
    rows = by_elevation(DOME, scene, found(scene, 0.3, 0.4), bound)
    assert len(rows) == BINS and rows[0]["low_deg"] == 0 and rows[-1]["high_deg"] == pytest.approx(75)
    assert sum(r["sources"] for r in rows) == 600
    for r in rows:  # uniform on the sphere: 100 a bin, five deviations of 9
        assert 55 < r["sources"] < 145 and r["hits"] == 1.0
        middle = math.radians(0.5 * (r["low_deg"] + r["high_deg"]))
        assert r["rmse_elevation_deg"] == pytest.approx(0.4)
        assert r["rmse_azimuth_deg"] == pytest.approx(0.3 * math.cos(middle), rel=0.2)
        assert r["rmse_hit_deg"] == pytest.approx(math.hypot(r["rmse_azimuth_deg"], 0.4), rel=1e-3)


def test_bounds_are_those_of_the_sources_of_a_bin_that_have_one():
    scene, bound = case()
    rows = by_elevation(DOME, scene, found(scene), bound)
    high = (scene.elevation.rad2deg() >= rows[-1]["low_deg"]) & (bound.direction < math.radians(1))
    assert rows[-1]["bound_deg"] == pytest.approx(float(bound.direction[high].rad2deg().square().mean().sqrt()))
    assert rows[-1]["bound_elevation_deg"] < rows[1]["bound_elevation_deg"]  # a circle sees the cosine of elevation
    squares = [r["bound_azimuth_deg"] ** 2 + r["bound_elevation_deg"] ** 2 for r in rows]
    assert squares == pytest.approx([r["bound_deg"] ** 2 for r in rows])


def test_what_is_not_found_has_no_error_and_what_is_not_told_is_no_hit():
    scene, bound = case(20)
    off = by_elevation(DOME, scene, found(scene, 0.0, 5.0), bound)
    assert all(r["hits"] in (0.0, None) and r["rmse_hit_deg"] is None for r in off)
    e = found(scene)
    e = replace(e, azimuth=e.azimuth * math.nan)
    assert all(r["hits"] in (0.0, None) for r in by_elevation(DOME, scene, e, bound))
    assert by_elevation(DOME, scene, replace(found(scene), elevation=None), bound) == []

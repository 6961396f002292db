"""Self-calibration of an array with elevations."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.bounds import cramer_rao
from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.scenes.accuracy import direction_error
from doamc.snapshots import make_batch
from doamc.spec import load_spec


@pytest.mark.parametrize(
    ("array", "batches", "most"),
    [("dome8", 24, 1.6), pytest.param("panel16", 60, 1.3, marks=pytest.mark.slow)],  # 272 numbers take longer to learn
)
def test_a_coupling_that_stays_is_learnt(array, batches, most):
    """In the second half errors are nearer to the bound of a known coupling than a batch alone can be."""
    spec, g = load_spec(array), torch.Generator().manual_seed(5)
    scene = draw_scene(spec, batches, 2, 10.0, g)
    scene = replace(scene, theta=scene.theta[:1].expand_as(scene.theta).contiguous())
    e = make_estimator("self-calibrating", spec)(make_batch(receive(scene, 200, "gaussian", g).snapshots), 2)
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))[batches // 2 :]
    bound = cramer_rao(scene, 200, coupling_known=True).direction[batches // 2 :]
    counted = (error.amax(1) < math.radians(2))[:, None] & (bound < math.radians(1))
    assert counted.double().mean() > 0.4
    assert float((error / bound)[counted].square().mean().sqrt()) < most
    assert (e.azimuth.diff(dim=1) >= 0).all() and (e.elevation_std > 0).all()
    assert e.mode_elevation.shape == e.mode_azimuth.shape and e.elevation_interval.shape == (batches, 2, 2)
    low, high = spec.elevation_rad
    assert ((e.elevation >= low) & (e.elevation <= high)).all()

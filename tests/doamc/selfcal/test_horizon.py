"""Elevations of a flat array near the horizon: their law, and where slopes are taken."""

import math
from dataclasses import replace

import pytest
import torch

from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.scenes.accuracy import direction_order
from doamc.selfcal.horizon import LIFTED, _law, folds, heights_of, lifted
from doamc.selfcal.scene import belief_coordinates
from doamc.selfcal.start import start_family
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec


def coordinates(spec, sources=2):
    return belief_coordinates(spec, start_family(spec), sources, True)


def drawn_law(sector_deg, cosine, deviation):
    """Quantiles and deviation by drawing heights from the prior and weighing them."""
    low, high = (math.sin(math.radians(e)) for e in sector_deg)
    h = low + (high - low) * (torch.arange(400_000, dtype=torch.float64) + 0.5) / 400_000
    log_weight = -0.5 * (((1 - h * h).sqrt() - cosine) / deviation).square()
    weight = (log_weight - log_weight.max()).exp()
    angle = h.asin()
    order = angle.argsort()
    share = (weight[order] / weight.sum()).cumsum(0)
    found = [float(angle[order][int((share < q).sum())]) for q in (0.05, 0.5, 0.95)]
    mean = float((weight * angle).sum() / weight.sum())
    return found, math.sqrt(float((weight * (angle - mean) ** 2).sum() / weight.sum()))


@pytest.mark.parametrize("sector_deg", [(0.0, 75.0), (3.0, 40.0), (-60.0, 0.0)])
@pytest.mark.parametrize(
    ("cosine", "deviation"), [(1.0, 0.004), (1.02, 0.002), (0.995, 0.004), (0.8, 0.01), (0.9999, 0.2)]
)
def test_the_law_is_a_normal_cosine_times_the_prior(sector_deg, cosine, deviation):
    sector = (math.radians(sector_deg[0]), math.radians(sector_deg[1]))
    law = _law(sector, *(torch.tensor([[v]], dtype=torch.float64) for v in (cosine, deviation)))
    (low, middle, high), std = drawn_law(sector_deg, cosine, deviation)
    width = high - low
    assert float(law.median) == pytest.approx(middle, abs=0.01 * width)
    assert law.interval[0, 0].tolist() == pytest.approx([low, high], abs=0.02 * width)
    assert float(law.std) == pytest.approx(std, rel=0.02)


def test_only_a_flat_array_is_lifted_and_only_at_the_horizon():
    dome, panel = coordinates(load_spec("dome8")), coordinates(load_spec("panel16"))
    assert folds(dome) and not folds(panel) and not folds(coordinates(load_spec("uca5")))
    for c in (dome, panel):
        x = torch.zeros(1, c.size, 3, dtype=torch.float64)
        x[0, heights_of(c), 1] = torch.tensor([0.05, 0.6], dtype=torch.float64)
        y = lifted(c, x)
        if c is panel:
            assert y is x
            continue
        assert y[0, heights_of(c), 1].tolist() == [LIFTED, 0.6] and (y[0, heights_of(c), 0] == LIFTED).all()
        assert torch.equal(y[:, : heights_of(c).start], x[:, : heights_of(c).start])
    below = coordinates(edited_spec("dome8", sector={"elevation_deg": [-75.0, 0.0]}))
    x = torch.full((1, below.size, 1), -0.02, dtype=torch.float64)
    assert (lifted(below, x)[0, heights_of(below)] == -LIFTED).all()


def test_intervals_near_the_horizon_hold_and_lie_in_the_sector():
    """One emitter below 8 degrees, 40 batches of one array: 90 % of them, 7 below is 3 deviations of 2."""
    spec, g = load_spec("dome8"), torch.Generator().manual_seed(7)
    scene = draw_scene(spec, 40, 1, 10.0, g)
    elevation = torch.rand(40, 1, dtype=torch.float64, generator=g) * math.radians(8.0)
    scene = replace(scene, elevation=elevation, theta=scene.theta[:1].expand_as(scene.theta).contiguous())
    e = make_estimator("self-calibrating", spec)(make_batch(receive(scene, 200, "gaussian", g).snapshots), 1)
    order = direction_order((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    low, high = e.elevation_interval.gather(1, order[..., None].expand(-1, -1, 2)).unbind(2)
    held = int(((low <= elevation) & (elevation <= high)).sum())
    assert 29 <= held <= 40
    assert (low >= 0).all() and (high <= math.radians(75) + 1e-9).all()
    assert ((e.elevation >= low) & (e.elevation <= high)).all()
    assert float((high - low).median()) < math.radians(12)  # an interval that says nothing holds, too

"""Method ``posterior`` on arrays with elevations: calibration, hits beside long chains, counting, orders of sources."""

import math

import pytest
import torch

from doamc.bounds import cramer_rao
from doamc.estimators.cause_names import cause_name
from doamc.estimators.engine import estimate_batch
from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.methods import Posterior
from doamc.posterior.report.directions import align_directions
from doamc.posterior.report.evidence import separation_share
from doamc.scenes import draw_scene, receive
from doamc.scenes.accuracy import direction_error
from doamc.scenes.covariance import CovarianceModel
from doamc.scenes.directions import apart, nearest_order
from doamc.scenes.gaussian_likelihood import fisher_information
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec, observed


@pytest.fixture(scope="module")
def dome8():
    return Posterior("dome8")


def test_intervals_of_both_angles_hold(dome8):
    """120 intervals of each angle: three standard errors of 0.9 are 0.08."""
    scene, batch = observed(dome8.spec, 60, 2, 200, 10.0, seed=3)
    e = dome8(batch, 2)
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    near = error.amax(1) < math.radians(10)  # emitters in the order of the truth
    turn = torch.remainder(e.azimuth - scene.azimuth + math.pi, 2 * math.pi) - math.pi
    for found, bar in ((turn, e.std), (e.elevation - scene.elevation, e.elevation_std)):
        assert 0.82 < float((found.abs() < 1.645 * bar)[near].double().mean()) < 0.97
    inside = (scene.elevation >= e.elevation_interval[..., 0]) & (scene.elevation <= e.elevation_interval[..., 1])
    assert 0.8 < float(inside[near].double().mean()) < 0.97
    sharp = cramer_rao(scene, 200).direction < math.radians(0.8)
    assert float((error / cramer_rao(scene, 200).direction)[sharp].square().mean().sqrt()) < 1.2
    assert near.double().mean() > 0.85 and (e.azimuth.diff(dim=1) >= 0).all()
    assert (e.elevation >= 0).all() and (e.azimuth >= 0).all() and (e.azimuth < 2 * math.pi).all()
    assert e.mode_elevation.shape == e.mode_azimuth.shape


def test_the_correlation_of_both_angles_is_that_of_the_bound():
    """Far from broadside of a panel a rise turns the azimuth, too; of sharp posteriors, by the Fisher information."""
    spec = load_spec("panel16")
    scene = draw_scene(spec, 40, 1, 20.0, torch.Generator().manual_seed(3))
    far = (scene.azimuth.abs() > 0.7)[:, 0] & (scene.elevation.abs() > 0.3)[:, 0]
    scene = scene.select(far)
    batch = make_batch(receive(scene, 200, "gaussian", torch.Generator().manual_seed(4)).snapshots)
    model = CovarianceModel(spec, 1)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)
    inverse = torch.linalg.inv(fisher_information(*model.derivatives(x)))
    expected = inverse[:, 0, 1] / (inverse[:, 0, 0] * inverse[:, 1, 1]).sqrt()
    found = Posterior(spec)(batch, 1).elevation_correlation[:, 0]
    assert len(expected) >= 5 and expected.abs().max() > 0.3
    # some hundred samples that are not independent tell a correlation to about 0.1
    assert (found - expected).abs().max() < 0.35 and (found - expected).abs().mean() < 0.15


def test_sources_are_counted_on_the_sphere(dome8):
    for p in (1, 2):
        _, batch = observed(dome8.spec, 6, p, 200, 15.0, seed=p)
        e = estimate_batch(dome8, batch, None)
        assert (e.n_sources == p).sum() >= 5
        assert e.elevation.shape == e.azimuth.shape


def test_samples_keep_one_source_a_row():
    """Sources above each other, of nearly the same azimuth: each row stays at its own elevation."""
    spec = load_spec("panel16")
    coordinates = make_coordinates(spec, 2, False, (0.0, 0.0))
    g = torch.Generator().manual_seed(1)
    azimuth = 0.05 * torch.randn(1, 2, 400, generator=g, dtype=torch.float64)
    elevation = torch.tensor([0.4, -0.2], dtype=torch.float64)[None, :, None] + 0.05 * torch.randn(
        1, 2, 400, generator=g, dtype=torch.float64
    )
    swapped = (torch.rand(400, generator=g) < 0.5)[None, None]
    azimuth, elevation = (torch.where(swapped, v.flip(1), v) for v in (azimuth, elevation))
    none = torch.zeros(1, 3, 400, dtype=torch.float64)
    x = coordinates.join(none[:, :2], none, none[:, :1], azimuth, none, elevation=elevation)
    found = align_directions(x, coordinates)
    assert sorted(found.elevation.mean(2)[0].tolist()) == pytest.approx([-0.2, 0.4], abs=0.02)
    assert float(found.elevation.std(2).max()) < 0.06
    assert torch.allclose(found.plane[:, :2], found.azimuth * found.level)


def test_the_nearest_order_of_few_and_of_many_sources():
    g = torch.Generator().manual_seed(2)
    for p in (3, 7):
        unit = torch.randn(4, p, 3, generator=g, dtype=torch.float64)
        unit = unit / unit.norm(dim=2, keepdim=True)
        order = torch.stack([torch.randperm(p, generator=g) for _ in range(4)])
        mixed = unit.gather(1, order[..., None].expand_as(unit))
        found = nearest_order(torch.einsum("bpk,bqk->bpq", unit, mixed)[..., None])[:, :, 0]
        assert torch.equal(mixed.gather(1, found[..., None].expand_as(unit)), unit)


def test_the_share_of_directions_that_keep_their_separation():
    """Of two on the whole sphere: one less the share of a cap, (1 + cos gap) / 2."""
    spec = edited_spec(
        "panel16", sector={"azimuth_deg": [-180, 180], "elevation_deg": [-90, 90], "min_separation_deg": 60.0}
    )
    share = separation_share(make_coordinates(spec, 2, True, (-60.0, 40.0)))
    assert share == pytest.approx((1 + math.cos(math.radians(60))) / 2, abs=0.012)  # three standard errors
    assert separation_share(make_coordinates(spec, 1, True, (-60.0, 40.0))) == 1.0


def test_emitters_above_the_sector_are_found_under_the_wide_prior():
    spec = edited_spec("panel16", sector={"elevation_deg": [45.0, 70.0]})
    scene, batch = observed(spec, 4, 1, 200, 15.0)
    e = Posterior("panel16")(batch, 1)
    assert e.wide_prior.all() and {cause_name(int(k)) for k in e.fit_cause} == {"outside the sector"}
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    assert float(error.max()) < math.radians(1.0)


def test_the_wide_prior_and_coherent_sources_run():
    spec = load_spec("panel16")
    _, batch = observed(spec, 3, 2, 200, 10.0, waveform="coherent")
    e = Posterior(spec, coherent="yes", prior="narrow")(batch, 2)
    assert torch.isfinite(e.elevation).all()
    wide = Posterior(spec, prior="wide")
    _, batch = observed(spec, 2, 2, 200, 10.0)
    assert apart(wide.spec, *(getattr(wide(batch, 2), k) for k in ("azimuth", "elevation"))).all()

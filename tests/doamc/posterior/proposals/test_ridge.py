"""Panels of two rows, on which coupling can stand for elevation: the ridge, and samples along it."""

import math

import pytest
import torch

from doamc.likelihood.scene_points import scene_points
from doamc.posterior.methods import Posterior
from doamc.posterior.observations import Observations
from doamc.posterior.proposals.ridge import follow, has_ridge, widths
from doamc.scenes.prior import draw_scene
from tests.doamc.helpers.scenes import edited_spec, observed


@pytest.fixture(scope="module")
def two_rows():
    return edited_spec("panel16", geometry={"rows": 2})


def exact(spec, count, n_sources, snr_db, seed=3):
    """Scenes, and their posterior given covariances without errors."""
    scene = draw_scene(spec, count, n_sources, snr_db, torch.Generator().manual_seed(seed))
    length = torch.full((count,), 200.0, dtype=torch.float64)
    sampler = Posterior(spec).sampler(n_sources)
    return scene, sampler.posterior(Observations(scene.covariance, length, None))


def test_elevations_and_the_coupling_of_two_rows_change_together(two_rows):
    """Along the ridge the likelihood is the same, and so is what the elevations and the coupling of rows make."""
    scene, posterior = exact(two_rows, 6, 2, 30.0)
    truth = scene_points(posterior.coordinates, scene)
    assert has_ridge(posterior, truth[:, :, 0]).all()
    ridge = follow(posterior, truth[:, :, 0])
    away = (posterior.log_density(ridge.points) - posterior.log_density(truth)).abs()
    assert float(away.median()) < 1e-6 and float(away.max()) < 1.0  # nats; the ends are where it is left
    _, size, _, _, phase = posterior.coordinates.split(ridge.points)
    c = torch.polar(size.abs(), phase)[:, 1] * size[:, 1].sign()  # of the next row
    w = math.pi * posterior.coordinates.heights(ridge.points)
    seen = ((1 - c) / (1 + c))[:, None] * (w / 2).tan()
    true = seen[:, :, seen.shape[2] // 2, None]
    torch.testing.assert_close(seen, true.expand_as(seen), rtol=0.02, atol=0.02)
    change = (ridge.points.amax(2) - ridge.points.amin(2)) / widths(posterior.coordinates)
    assert ridge.intervals.any(1).all() and float(change.amax(1).min()) > 1.0  # through the whole of the box


@pytest.mark.parametrize("name", ["panel16", "dome8"])
def test_arrays_that_tell_their_elevations_have_no_ridge(name):
    scene, posterior = exact(Posterior(name).spec, 20, 1, 20.0)
    assert not has_ridge(posterior, scene_points(posterior.coordinates, scene)[:, :, 0]).any()


def test_samples_do_not_depend_on_where_chains_began(two_rows):
    """Means of two seeds differ by 0.04 of the deviations; of chains that begin at modes, and stay there, by 0.18."""
    _, batch = observed(two_rows, 16, 1, 200, 30.0, seed=5)
    means, deviations = [], []
    for seed in (0, 1):
        (part,) = Posterior(two_rows, seed=seed).samples(batch, 1)
        height = part.samples.coordinates.heights(part.samples.x)[:, 0]
        means.append(height.mean(1))
        deviations.append(height.std(1))
    apart = (means[0] - means[1]).abs() / torch.stack(deviations).mean(0)
    assert float(apart.median()) < 0.1


@pytest.mark.slow
def test_intervals_of_elevations_hold_though_nothing_tells_them(two_rows):
    """100 scenes at 30 dB: three standard errors of 0.9 are 0.09; chains from modes alone held 0.80."""
    scene, batch = observed(two_rows, 100, 1, 200, 30.0, seed=3)
    e = Posterior(two_rows)(batch, 1)
    for error, bar in ((e.azimuth - scene.azimuth, e.std), (e.elevation - scene.elevation, e.elevation_std)):
        held = float((error.abs() < 1.645 * bar).double().mean())
        assert 0.83 < held < 0.98
        assert float((error.abs() > 5 * bar).double().mean()) == 0

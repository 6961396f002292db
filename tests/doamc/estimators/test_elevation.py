"""Methods on arrays with elevations: errors beside the bound, error bars, order, independence, refusals."""

import math

import pytest
import torch

from doamc.bounds import cramer_rao
from doamc.estimators import METHODS, estimator_class, make_estimator
from doamc.estimators.ml import LikelihoodCriterion
from doamc.estimators.soft_prior import SoftPrior
from doamc.scenes.accuracy import direction_error
from doamc.scenes.covariance import CovarianceModel
from doamc.spec import load_spec
from doamc.trials.calibration import Case, calibrate
from doamc.trials.monte_carlo import compare
from tests.doamc.helpers.scenes import edited_spec, observed
from tests.doamc.helpers.slopes import assert_slopes

ABLE = [name for name in METHODS if estimator_class(name).elevations]
FREE = edited_spec("panel16", coupling={"magnitude": [[0.0, 0.0]] * 3})
#: method -> rms of great-circle errors over the bound of two emitters 10 dB over noise, coupling unknown, at most
RATIO = {"ml": 1.15, "map": 1.15, "posterior": 1.15, "rare": 2.0}


def test_these_methods_take_elevations():
    assert {"bartlett", "capon", "music", "rare", "ml", "map", "bcs", "posterior"} <= set(ABLE)
    assert "ddim" not in ABLE  # its prior over waveforms is of azimuths, though the rest of it is `posterior`
    for name in ABLE:
        make_estimator(name, "panel16")


@pytest.mark.parametrize("method", RATIO)
def test_errors_are_those_of_the_bound(method):
    """40 scenes of two sources: the ratio has a standard error of 0.06."""
    scene, batch = observed(load_spec("panel16"), 40, 2, 200, 10.0, seed=4)
    e = make_estimator(method, scene.spec)(batch, 2)
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    bound = cramer_rao(scene, 200).direction
    hit = error.amax(1) < math.radians(2)
    assert hit.double().mean() >= (0.8 if method == "rare" else 0.97)
    assert float((error / bound)[hit].square().mean().sqrt()) < RATIO[method]
    assert (e.azimuth.diff(dim=1) >= 0).all() and e.elevation.dtype == torch.float64
    if method != "rare":
        for found, true, bar in ((e.azimuth, scene.azimuth, e.std), (e.elevation, scene.elevation, e.elevation_std)):
            covered = ((found - true).abs() < 1.645 * bar)[hit].double().mean()
            assert 0.78 < float(covered) <= 1.0  # 80 intervals of 90 %: 3.5 standard errors


@pytest.mark.parametrize("method", ["bartlett", "capon", "music"])
def test_spectra_find_both_angles_of_uncoupled_emitters(method):
    n_sources = 1 if method == "bartlett" else 2
    scene, batch = observed(FREE, 60, n_sources, 200, 10.0, seed=6)
    e = make_estimator(method, FREE)(batch, n_sources)
    error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
    bound = cramer_rao(scene, 200, coupling_known=True).direction
    assert float((error / bound).median()) < (1.1 if method == "bartlett" else 1.4)
    if method == "music":
        found = torch.cat([e.azimuth - scene.azimuth, e.elevation - scene.elevation])
        covered = float((found.abs() < 1.645 * torch.cat([e.std, e.elevation_std])).double().mean())
        assert 0.85 < covered < 0.95  # of 240, three standard errors


@pytest.mark.parametrize("method", ["capon", "rare", "ml", "map", "posterior"])
def test_an_item_does_not_depend_on_the_rest_of_the_batch(method):
    spec = load_spec("dome8")
    estimator, (_, batch) = make_estimator(method, spec), observed(spec, 4, 2, 60, 10.0)
    whole = estimator(batch, 2)
    alone = estimator(batch.select(slice(2, 3)), 2)
    for field in ("azimuth", "elevation", "power", "coupling"):
        assert torch.allclose(getattr(alone, field)[0], getattr(whole, field)[2], atol=1e-6), field


def test_the_descent_knows_its_slopes_by_both_angles():
    """Gradient of likelihood and soft prior against central differences, for scenes that lean on every wall."""
    spec = load_spec("panel16")
    scene, batch = observed(spec, 5, 3, 50, 10.0, seed=8)
    model = CovarianceModel(spec, 3)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)
    x[0, 1] = x[0, 0] + 0.05  # too close together
    x[0, 4] = x[0, 3] - 0.05
    x[1, 3], x[2, 0] = 0.8, 1.3  # beyond the sector
    index = torch.arange(5)
    for criterion in (LikelihoodCriterion(model, batch.covariance), lambda v, i: SoftPrior(model)(v)):
        assert_slopes(criterion, x, index)


def test_calibration_and_comparison_know_both_angles():
    """Ranks of every coordinate, heights among them; errors beside the bound of great-circle errors."""
    spec = load_spec("panel16")
    trials = calibrate(spec, "posterior", Case(2, 200, 5.0), 20, seed=1)
    assert [q for q in trials.quantities if q.startswith("height")] == ["height 1", "height 2"]
    assert trials.rank.shape == (20, len(trials.quantities)) and float(trials.hit.double().mean()) > 0.8
    assert 0.8 < float(trials.held.double().mean()) <= 1.0
    bars = calibrate(spec, "ml", Case(2, 200, 10.0), 20, seed=2)
    assert float((bars.error / bars.bound).square().mean().sqrt()) < 1.4
    (row,) = compare(spec, [make_estimator("ml", spec)], [10.0], 2, 200, 20)
    assert row["hits"] > 0.9 and 0.6 < row["rmse_hit_deg"] / row["bound_deg"] < 1.4

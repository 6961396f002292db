"""Accuracy of the methods that find the coupling: RARE, fits, maximum likelihood, maximum a posteriori."""

import math

import pytest
import torch

from doamc.bounds import crb
from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, edited_spec, exact_batch, fixed_scene, observed


def hits(method: str, spec, scene, batch, **options) -> float:
    found = make_estimator(method, spec, **options)(batch, scene.azimuth.shape[1])
    return float((angle_error(found.azimuth, scene.azimuth).abs().amax(1) < math.radians(2)).double().mean())


def coupling_error(estimate: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Relative squared error (B,), power ratio."""
    return (estimate - truth).abs().square().sum((1, 2)) / truth.abs().square().sum((1, 2))


@pytest.mark.parametrize("method", ["ml", "comet", "map"])
@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16"])
def test_without_estimation_error_the_truth_is_found(method, array):
    """The model covariance itself in: directions to 0.05 deg and coupling to -40 dB, of nearly every scene."""
    spec = load_spec(array)
    scene, _ = observed(spec, 30, 2, 20, 20.0)
    found = make_estimator(method, spec)(exact_batch(scene, 1000), 2)
    error = torch.rad2deg(angle_error(found.azimuth, scene.azimuth).abs().amax(1))
    good = (error < 0.05) & (coupling_error(found.coupling, scene.coupling) < 1e-4)
    assert float(good.double().mean()) >= 0.93


def test_rare_alone_is_right_to_its_grid():
    """Model covariance in: within a fifth of the 0.25 deg grid in the median, on an array where it is unambiguous."""
    spec = load_spec("ula8")
    scene, _ = observed(spec, 50, 2, 20, 20.0)
    found = make_estimator("rare", spec)(exact_batch(scene, 1000), 2)
    assert torch.rad2deg(angle_error(found.azimuth, scene.azimuth).abs()).median() < 0.05
    assert coupling_error(found.coupling, scene.coupling).median() < 1e-3


def test_the_weighted_fit_reaches_the_bound_and_the_unweighted_does_not():
    """Ratio to the bound at 30 dB: the weighted fit within 10 %, eq. (34) as printed at least 2.5 times off."""
    spec = load_spec("ula8")
    scene, batch = observed(spec, 150, 2, 200, 30.0)
    ratio = {}
    for method in ("comet", "fit"):
        error = angle_error(make_estimator(method, spec)(batch, 2).azimuth, scene.azimuth)
        ratio[method] = float((error / crb(scene, 200)).square().median().sqrt()) / 0.6745  # median of |normal|
    assert ratio["comet"] < 1.15
    assert ratio["fit"] > 2.5


def test_the_prior_pays_below_threshold():
    """300 scenes at L = 20, 0 dB: the share within 2 deg rises by well over three standard errors (0.04)."""
    spec = load_spec("ula8")
    scene, batch = observed(spec, 300, 2, 20, 0.0, seed=9)
    assert hits("map", spec, scene, batch) > hits("ml", spec, scene, batch) + 0.08


def test_error_bars_cover():
    """Share of errors within 1.645 standard deviations at 10 dB: 0.9, give or take 4 standard errors and curvature."""
    spec = load_spec("ula8")
    scene, batch = observed(spec, 300, 2, 200, 10.0, seed=6)
    for method in ("ml", "map", "comet"):
        found = make_estimator(method, spec)(batch, 2)
        inside = angle_error(found.azimuth, scene.azimuth).abs() < 1.645 * found.std
        assert 0.84 < float(inside.double().mean()) < 0.96


@pytest.mark.parametrize("start", ["music", "esprit"])
def test_the_fit_starts_from_classical_directions_too(start):
    spec = load_spec("ula8")
    scene, batch = observed(spec, 40, 2, 200, 15.0)
    assert hits("fit", spec, scene, batch, start=start) > 0.7


def test_one_snapshot_is_enough_when_the_noise_power_is_known():
    spec = load_spec("ula8")
    scene, batch = observed(spec, 150, 1, 1, 20.0)
    with pytest.raises(EstimatorError, match=r"need more than 1 snapshots, found 1; give the noise power"):
        make_estimator("ml", spec)(batch, 1)
    told = type(batch)(batch.snapshots, batch.covariance, 1, scene.noise_power)
    assert hits("map", spec, scene, told) > 0.8


def test_what_does_not_apply_is_refused():
    batch = exact_batch(fixed_scene(load_spec("ula8"), [0.0], 10.0), 5)
    with pytest.raises(EstimatorError, match="at least 8 snapshots, found 5; use ml"):
        make_estimator("comet", "ula8")(batch, 1)
    with pytest.raises(EstimatorError, match="start must be one of rare, music, esprit, found 'guess'"):
        make_estimator("fit", "ula8", start="guess")
    rich = edited_spec("ula8", coupling={"magnitude": [[0.1, 0.2]] * 5})
    with pytest.raises(EstimatorError, match=r"RARE needs coupling parameters \+ 1 <= N - P, found 6 > 5"):
        make_estimator("rare", rich)(exact_batch(fixed_scene(rich, [0.0, 20.0, 40.0], 10.0), 50), 3)

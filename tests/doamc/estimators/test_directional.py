"""Methods on arrays whose coupling depends on direction: errors beside the bound, ablation, output, refusals."""

from functools import cache

import numpy as np
import pytest
import torch

from doamc.bounds import cramer_rao
from doamc.denoising.clean import denoise
from doamc.errors import EstimatorError
from doamc.estimates.estimate_file import estimate_arrays
from doamc.estimators import METHODS, estimator_class, make_estimator
from doamc.estimators.ml import LikelihoodCriterion
from doamc.estimators.soft_prior import SoftPrior
from doamc.scenes.accuracy import azimuth_error, direction_error
from doamc.scenes.covariance import CovarianceModel
from doamc.spec import load_spec
from tests.doamc.helpers.directional import directional_spec
from tests.doamc.helpers.scenes import edited_spec, observed
from tests.doamc.helpers.slopes import assert_slopes

ABLE = [name for name in METHODS if estimator_class(name).directional]
#: a coupling that turns with direction half as strongly as it is, 25 dB over noise: order 0 cannot explain it
SPREAD = {"spread_db": -6.0}


@cache
def scenes(name: str, count: int, snr_db: float):
    return observed(directional_spec(name, 1, **SPREAD), count, 2, 200, snr_db, seed=4)


def ratio(method: str, spec, scene, batch) -> tuple[float, float]:
    """Errors over the bound of scenes where no source is 5 degrees off, r.m.s., and the share of these."""
    e = make_estimator(method, spec)(batch, 2)
    bound = cramer_rao(scene, 200)
    if scene.elevation is None:
        error, limit = azimuth_error(scene.azimuth, e.azimuth, spec.full_circle), bound.azimuth
    else:
        error = direction_error((scene.azimuth, scene.elevation), (e.azimuth, e.elevation))
        limit = bound.direction
    near = error.abs().rad2deg().amax(1) < 5
    return float((error / limit)[near].square().mean().sqrt()), float(near.double().mean())


@pytest.mark.parametrize("method", ["ml", "map", "posterior"])
def test_order_one_is_at_the_bound_where_order_zero_is_biased(method):
    """30 scenes, 60 errors: the ratio has a standard error of 0.09 at the bound; beside it 10 are biased enough."""
    scene, batch = scenes("ula8", 30, 25.0)
    found, near = ratio(method, scene.spec, scene, batch)
    assert near == 1.0 and found < 1.25
    few, batch = scenes("ula8", 10, 25.0)
    biased, _ = ratio(method, load_spec("ula8"), few, batch)
    assert biased > 3


@pytest.mark.parametrize(("method", "array"), [("ml", "panel16"), ("map", "dome8")])
def test_both_angles_are_at_the_bound(method, array):
    scene, batch = scenes(array, 20, 20.0)
    found, near = ratio(method, scene.spec, scene, batch)
    assert near >= 0.9 and found < 1.3


@pytest.mark.parametrize("method", ["rare", "ml", "posterior"])
def test_every_source_has_a_coupling_of_its_own(method):
    scene, batch = scenes("ula8", 30, 25.0)
    e = make_estimator(method, scene.spec)(batch, 2)
    arrays = estimate_arrays(e)
    assert arrays["coupling_by_direction"].shape == (30, 2, 8, 8)
    true = scene.coupling_by_direction.numpy()
    error = np.abs(arrays["coupling_by_direction"] - true)
    mean_alone = np.abs(arrays["coupling"][:, None] - true)
    assert (error**2).mean() < (0.5 if method == "rare" else 0.1) * (mean_alone**2).mean()
    assert not e.doubtful.any() or method == "rare"


def test_a_source_that_is_not_there_has_no_coupling():
    spec = directional_spec("ula8", 1)
    _, batch = observed(spec, 3, 1, 200, 20.0)
    e = make_estimator("posterior", spec).counted(batch)
    assert e.coupling_by_direction.shape[1] == e.azimuth.shape[1]
    assert torch.isfinite(e.coupling_by_direction[:, 0].abs()).all()


def test_the_descent_knows_its_slopes():
    """Gradient of likelihood and soft prior against central differences, at the horizon and on the sphere."""
    for name in ("uca5", "panel16"):
        spec = directional_spec(name, 1)
        scene, batch = observed(spec, 3, 2, 50, 10.0, seed=8)
        model = CovarianceModel(spec, 2)
        x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)
        index = torch.arange(3)
        likelihood = LikelihoodCriterion(model, batch.covariance)
        for found, expected in zip(likelihood(x, index), likelihood.by_tensors(x, index), strict=True):
            assert torch.allclose(found, expected, atol=1e-9 * float(expected.abs().max()))
        for criterion in (likelihood, lambda v, i, model=model: SoftPrior(model)(v)):
            assert_slopes(criterion, x, index)


@pytest.mark.parametrize("method", ["ml", "posterior"])
def test_order_zero_is_no_table_to_the_last_bit(method):
    with_table = edited_spec("uca5", coupling={"directional": {"order": 0}})
    _, batch = observed(load_spec("uca5"), 4, 2, 200, 10.0)
    a, b = (make_estimator(method, spec)(batch, 2) for spec in (with_table, load_spec("uca5")))
    assert torch.equal(a.azimuth, b.azimuth) and torch.equal(a.coupling, b.coupling)
    assert a.coupling_by_direction is None and torch.equal(a.std, b.std)


def test_these_methods_take_coupling_that_depends_on_direction():
    assert {"bartlett", "capon", "music", "rare", "ml", "map", "posterior"} <= set(ABLE)
    for name in ABLE:
        make_estimator(name, directional_spec("ula8", 1))


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ABLE])
def test_all_others_refuse_in_one_line(method):
    with pytest.raises(EstimatorError, match=r"found \[coupling.directional\] in array ula8; use one of bartlett"):
        make_estimator(method, directional_spec("ula8", 1))


@pytest.mark.parametrize("method", [name for name in ABLE if not estimator_class(name).elevations])
def test_azimuths_of_all_of_them(method):
    """What takes the table gives estimates with it; those that ignore all coupling may be anywhere."""
    scene, batch = scenes("ula8", 30, 25.0)
    few = batch.select(slice(0, 2))
    e = make_estimator(method, scene.spec)(few, 2)
    blind = method in ("music-smoothed", "root-music", "esprit")
    assert (e.coupling_by_direction is None) == blind and torch.isfinite(e.azimuth).all()
    if not blind:
        assert float(azimuth_error(scene.azimuth[:2], e.azimuth, False).abs().rad2deg().max()) < 1.0


def test_snapshots_are_cleaned_with_the_coupling_of_every_direction():
    scene, batch = scenes("ula8", 30, 25.0)
    e = make_estimator("posterior", scene.spec)(batch, 2)
    clean = denoise(scene.spec, batch, e).clean
    expected = scene.response @ torch.linalg.lstsq(scene.response, batch.snapshots.to(torch.complex128)).solution
    error = (clean - expected).abs().square().mean() / expected.abs().square().mean()
    assert float(10 * error.log10()) < -35  # the noise is 25 dB below a source of 0 dB, and 6 of 8 dimensions of it go

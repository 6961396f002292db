"""Method sbl: on the grid within its step, off the grid at maximum likelihood; any geometry."""

import math

import pytest

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, edited_spec, exact_batch, observed
from tests.doamc.routes.rectangle import rectangle


def share_within(found, scene, degrees):
    return float((angle_error(found.azimuth, scene.azimuth).abs().amax(1) < math.radians(degrees)).double().mean())


def test_on_the_grid_it_is_within_a_step():
    """30 scenes without estimation error of the covariance, 20 dB; the grid has steps of 2 degrees."""
    spec = load_spec("ula8")
    scene, _ = observed(spec, 30, 2, 20, 20.0)
    found = make_estimator("sbl", spec, off_grid=False)(exact_batch(scene, 500), 2)
    assert share_within(found, scene, 2.0) >= 0.9
    assert found.std.isnan().all()


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_off_the_grid_it_is_maximum_likelihood(array):
    spec = load_spec(array)
    scene, batch = observed(spec, 40, 2, 200, 15.0)
    sbl, ml = (make_estimator(m, spec)(batch, 2) for m in ("sbl", "ml"))
    assert share_within(sbl, scene, 2.0) >= 0.9
    same = ((sbl.azimuth - ml.azimuth).abs() < 0.05 * ml.std).all(1)
    assert float(same.double().mean()) >= 0.85


def test_a_rectangle_and_a_family_too_rich_for_rare():
    ura = rectangle(3, 4, [[0.05, 0.2]])
    scene, batch = observed(ura, 20, 2, 200, 20.0)
    assert share_within(make_estimator("sbl", ura)(batch, 2), scene, 2.0) >= 0.8
    magnitude = [[0.2, 0.3], [0.05, 0.1], [0.02, 0.05], [0.0, 0.02], [0.0, 0.02]]
    rich = edited_spec("ula8", coupling={"magnitude": magnitude})
    scene, batch = observed(rich, 20, 3, 500, 25.0)
    with pytest.raises(EstimatorError, match="RARE needs"):
        make_estimator("ml", rich)(batch, 3)
    assert share_within(make_estimator("sbl", rich)(batch, 3), scene, 2.0) >= 0.5


def test_wrong_sizes_are_refused():
    with pytest.raises(EstimatorError, match="expected step_deg > 0 and iterations >= 1, found 0 and 60"):
        make_estimator("sbl", "ula8", step_deg=0)
    _, batch = observed(load_spec("ula8"), 2, 2, 2, 10.0)
    with pytest.raises(EstimatorError, match="give the noise power"):
        make_estimator("sbl", "ula8")(batch, 2)

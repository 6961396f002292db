"""Opening estimators by name, and batches whose observations have different numbers of sources."""

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.estimators.joined import join
from doamc.scenes import Scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SPEC = load_spec("ula8")


def _batch(azimuth_deg, seed):
    azimuth = torch.tensor([azimuth_deg]).double().deg2rad()
    theta = torch.zeros(1, 2 * SPEC.family.n_coefficients).double()
    scene = Scene(SPEC, azimuth, torch.ones_like(azimuth), theta, torch.tensor([0.01]).double())
    return receive(scene, 80, generator=torch.Generator().manual_seed(seed)).snapshots


def test_unknown_numbers_are_estimated_in_groups_and_put_back_in_order():
    y = torch.cat([_batch([0.0], 1), _batch([-30.0, 20.0], 2), _batch([10.0], 3), _batch([-50.0, 0.0, 50.0], 4)])
    estimator = open_estimator("music", SPEC, None, "cpu", 0)
    e = estimate_batch(estimator, make_batch(y), None)
    assert e.n_sources.tolist() == [1, 2, 1, 3] and e.azimuth.shape == (4, 3)
    for b, count in enumerate((1, 2, 1, 3)):  # each as if it were alone and its number known
        alone = estimator(make_batch(y[b : b + 1]), count)
        for name in ("azimuth", "std", "power"):
            torch.testing.assert_close(getattr(e, name)[b, :count], getattr(alone, name)[0], rtol=1e-6, atol=1e-9)
            assert getattr(e, name)[b, count:].isnan().all()


def test_number_found_is_at_most_that_of_the_specification():
    azimuth = [-55.0, -30.0, -5.0, 10.0, 30.0, 55.0]
    e = estimate_batch(open_estimator("music", SPEC, None, "cpu", 0), make_batch(_batch(azimuth, 5)), None)
    assert e.n_sources.tolist() == [SPEC.source_count[1]]


def test_join_keeps_one_column_where_there_is_no_source():
    noise = 1e-3 * torch.view_as_complex(torch.randn(2, 8, 80, 2, generator=torch.Generator().manual_seed(0)).double())
    e = estimate_batch(open_estimator("music", SPEC, None, "cpu", 0), make_batch(noise), None)
    assert e.n_sources.tolist() == [0, 0] and e.azimuth.shape == (2, 1) and e.azimuth.isnan().all()
    assert join([e, e]).coupling.isnan().all()
    torch.testing.assert_close(e.noise_power, torch.full((2,), 2e-6).double(), rtol=0.15, atol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("magic", SPEC, 2, "cpu", 0), "method must be one of"),
        (("music", SPEC, 8, "cpu", 0), r"must lie in 1\.\.7 for array ula8, found 8"),
        (("music", SPEC, 0, "cpu", 0), r"must lie in 1\.\.7"),
        (("music", SPEC, 2, "abacus", 0), "expected a torch device"),
        (("music", SPEC, 2, "meta", 0), "expected a torch device"),  # which holds no numbers
        (("music", SPEC, 2, "cpu:0", 0), "runs on cpu only"),
    ],
)
def test_what_cannot_be_opened_is_named(arguments, message):
    with pytest.raises(EstimatorError, match=message):
        open_estimator(*arguments)

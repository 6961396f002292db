"""The likelihood of a covariance model by the compiled loops is that of tensor operations."""

import pytest
import torch

from doamc.estimators.ml import LikelihoodCriterion
from doamc.likelihood.backend import loops_for
from doamc.likelihood.covariance_loops import covariance_loops
from doamc.scenes.covariance import CovarianceModel
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(loops_for(CPU) is None, reason="no compiled loops here")


def problem(array: str, n_sources: int, size: int):
    scene, batch = observed(load_spec(array), size, n_sources, 60, 10.0)
    model = CovarianceModel(scene.spec, n_sources)
    return model, batch, model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 1), ("ula8", 3), ("uca5", 2), ("seed16", 3), ("kraken5", 2),
                                                   ("dome8", 2), ("panel16", 3)])  # fmt: skip
def test_value_gradient_and_curvature_are_those_of_tensors(array, n_sources):
    model, batch, x = problem(array, n_sources, 6)
    x = x + 0.1 * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(8))
    loops, item = covariance_loops(model, CPU), torch.tensor([5, 0, 0, 3, 2, 1])
    found = loops(batch.covariance.numpy()[item.numpy()], x.numpy())
    for a, b in zip(found, LikelihoodCriterion(model, batch.covariance).by_tensors(x, item), strict=True):
        assert (a - b).abs().max() < 1e-12 * b.abs().max()  # 4e-14 found
    assert covariance_loops(model, CPU) is loops


def test_where_there_is_no_value_it_is_infinite():
    model, batch, x = problem("ula8", 1, 1)
    x[0, 0] = torch.nan
    assert covariance_loops(model, CPU)(batch.covariance.numpy(), x.numpy())[0].tolist() == [torch.inf]

"""The likelihood of a covariance model by the compiled loops is that of tensor operations."""

import numpy as np
import pytest
import torch

from doamc.errors import KernelError
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
    found = loops(batch.covariance.numpy(), item.numpy(), x.numpy())
    for a, b in zip(found, LikelihoodCriterion(model, batch.covariance).by_tensors(x, item), strict=True):
        assert (a - b).abs().max() < 1e-12 * b.abs().max()  # 4e-14 found
    assert covariance_loops(model, CPU) is loops


def test_where_there_is_no_value_it_is_infinite():
    model, batch, x = problem("ula8", 1, 1)
    x[0, 0] = torch.nan
    found = covariance_loops(model, CPU)(batch.covariance.numpy(), np.zeros(1, np.int64), x.numpy())
    assert found[0].tolist() == [torch.inf]


def test_points_of_one_observation_do_not_depend_on_each_other():
    model, batch, x = problem("ula8", 2, 3)
    item = torch.tensor([0] * 11 + [1, 2, 2, 1])  # more than lanes, alone, together, and again
    x = x[item] + 0.1 * torch.randn(len(item), x.shape[1], dtype=x.dtype, generator=torch.Generator().manual_seed(9))
    loops = covariance_loops(model, CPU)
    together = loops(batch.covariance.numpy(), item.numpy(), x.numpy())
    for k in range(len(item)):
        alone = loops(batch.covariance.numpy(), item[k : k + 1].numpy(), x[k : k + 1].numpy())
        assert all(torch.equal(a[k], b[0]) for a, b in zip(together, alone, strict=True))


@pytest.mark.parametrize("item", [-1, 3])
def test_items_beyond_the_batch_are_refused(item):
    model, batch, x = problem("ula8", 1, 3)
    with pytest.raises(KernelError, match="expected sizes and places inside the arrays"):
        covariance_loops(model, CPU)(batch.covariance.numpy(), np.array([item]), x[:1].numpy())

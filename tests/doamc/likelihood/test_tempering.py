"""The inverse temperature that leaves so many points effective, by tensors and by the compiled loop."""

import pytest
import torch

from doamc.likelihood.tempering import tempering_by_tensors
from tests.doamc.likelihood.scenes import coordinates_of, observed, posterior_of


def compiled(value, effective, most):
    scene, rhat, count = observed("ula4", 1, 1, 50, 10.0)
    return posterior_of(coordinates_of(scene), scene, rhat, count).backend.tempering(value, effective, most)


@pytest.mark.parametrize("tempering", [compiled, tempering_by_tensors])
def test_tempering_leaves_the_effective_number(tempering):
    value = 50 * torch.randn(6, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.softmax(tempering(value, 16, 0.5)[:, None] * value, 1)
    assert torch.allclose(1 / weight.square().sum(1), torch.full((6,), 16.0, dtype=torch.float64), rtol=0.02)
    assert (tempering(0.01 * value, 16, 0.5) == 0.5).all()


@pytest.mark.parametrize(("effective", "most"), [(12.0, 0.5), (30.0, 1.0), (2.0, 1.0)])
def test_loops_and_tensors_agree(effective, most):
    value = torch.randn(6, 48, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = value * torch.tensor([0.01, 0.3, 1.0, 10.0, 1e3, 1e6], dtype=torch.float64)[:, None]
    value[1, :5] = -torch.inf
    found, expected = compiled(value, effective, most), tempering_by_tensors(value, effective, most)
    assert torch.allclose(found, expected, rtol=1e-3)
    shares = torch.softmax(found[:, None] * (value - value.amax(1, keepdim=True)), 1)
    assert (1 / shares.square().sum(1) >= 0.999 * effective).all()

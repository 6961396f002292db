"""Derivatives of the likelihood against autograd; gains and noise power eliminated."""

import pytest
import torch

from doamc.mimo.criterion import LinkLikelihood, LinkModel
from doamc.mimo.sounding import sound
from tests.doamc.mimo.links import drawn, small_link

CASES = [(0, 0, True), (0, 0, False), (1, None, True), (None, 2, False)]


def disturbed(orders_rx, orders_tx, shared):
    link = small_link(orders_rx, orders_tx)
    rays, sounding = drawn(link, 7, 2, 2, 3, 24, shared)
    model = LinkModel(link, sounding, 2)
    generator = torch.Generator().manual_seed(3)
    received = sound(link, rays, sounding, 0.05, generator)
    x = model.pack(rays)
    return model, rays, received, x + 0.05 * torch.randn(x.shape, dtype=x.dtype, generator=generator)


@pytest.mark.parametrize("case", CASES)
def test_the_jacobian_is_that_of_autograd(case):
    model, rays, _, x = disturbed(*case)
    exact = model.derivatives(x, rays.gains)
    for part in (torch.real, torch.imag):
        slope = torch.autograd.functional.jacobian(
            lambda v, part=part: part(torch.einsum("bstp,bsp->bst", model.psi(v).expand(-1, 3, -1, -1), rays.gains)),
            x,
        )
        for b in range(2):
            assert torch.allclose(slope[b, :, :, b], part(exact[b]), atol=1e-11)


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_autograd_and_the_curvature_is_positive(case):
    model, _, received, x = disturbed(*case)
    x.requires_grad_(True)
    value, gradient, curvature = LinkLikelihood(model, received)(x, torch.arange(2))
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert torch.allclose(gradient, slope, rtol=1e-8, atol=1e-8 * float(slope.detach().abs().max()))
    assert (torch.linalg.eigvalsh(curvature.detach()) > -1e-9 * curvature.detach().abs().max()).all()


def test_packing_is_undone_by_unpacking():
    model, rays, _, _ = disturbed(1, None, True)
    back = model.unpack(model.pack(rays), rays.gains)
    for name in ("azimuth_rx", "azimuth_tx", "theta_rx", "theta_tx"):
        assert torch.equal(getattr(back, name), getattr(rays, name))


def test_without_noise_the_gains_are_found_and_nothing_is_left():
    model, rays, _, _ = disturbed(0, None, False)
    clean = sound(model.link, rays, model.sounding, 0.0)
    gains, residual, _ = model.concentrated(model.pack(rays), clean)
    assert torch.allclose(gains, rays.gains, atol=1e-12) and residual.abs().max() < 1e-12

"""The bound against a numerical Fisher information, its scaling, and what cannot be identified."""

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.mimo.bound import cramer_rao, link_fisher
from doamc.mimo.criterion import LinkLikelihood, LinkModel
from doamc.mimo.sounding import sound
from tests.doamc.mimo.links import drawn, small_link

NOISE = 0.02


def case(orders_rx=0, orders_tx=0, shared=True, symbols=30):
    link = small_link(orders_rx, orders_tx)
    rays, sounding = drawn(link, 11, 1, 2, 3, symbols, shared)
    return LinkModel(link, sounding, 2), rays


def log_likelihood(model, z, received):
    """From the definition, through the channel matrix and the beams; z = [x, Re alpha, Im alpha a subcarrier]."""
    d = sum(model.sizes)
    re, im = z[d:].unflatten(0, (3, 2, 2)).unbind(1)
    h = model.link.channel(model.unpack(z[None, :d], torch.complex(re, im)[None]))
    s = model.sounding
    mean = torch.einsum("sti,bsij,stj->bst", s.combiners.conj().expand(3, -1, -1), h, s.beamformers.expand(3, -1, -1))
    gap = received - mean  # not through abs: autograd has no second derivative of it at zero
    return -(gap * gap.conj()).real.sum() / NOISE


@pytest.mark.parametrize("orders", [(0, 0), (None, 0)])
@pytest.mark.parametrize("shared", [True, False])
def test_the_fisher_information_is_the_hessian_at_the_truth(orders, shared):
    """With the noise at its mean (zero) minus the Hessian of the log-likelihood is the Fisher information."""
    model, rays = case(*orders, shared)
    z = torch.cat([model.pack(rays)[0], torch.stack([rays.gains[0].real, rays.gains[0].imag], 1).flatten()])
    clean = sound(model.link, rays, model.sounding, 0.0)
    hessian = torch.autograd.functional.hessian(lambda v: log_likelihood(model, v, clean), z)
    fisher = link_fisher(model, rays, NOISE)[0]
    assert torch.allclose(fisher, -hessian, rtol=1e-7, atol=1e-7 * float(fisher.abs().max()))


def test_scores_have_the_fisher_information_for_covariance():
    """4000 draws: a diagonal entry of a sample covariance errs by sqrt(2 / 4000) = 2.2 %; four sigma."""
    model, rays = case()
    y = sound(model.link, rays, model.sounding, 0.0).expand(4000, -1, -1)
    noise = torch.randn(2, *y.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    noise = torch.complex(noise[0], noise[1]) * (NOISE / 2) ** 0.5
    step, d = 1e-6, sum(model.sizes)
    fisher = link_fisher(model, rays, NOISE)[0]

    def residuals(x):
        mean = torch.einsum("bstp,bsp->bst", model.psi(x).expand(-1, 3, -1, -1), rays.gains)
        return (y + noise - mean).abs().square().sum((1, 2)) / NOISE

    x = model.pack(rays)
    for i in range(d):
        e = step * torch.eye(d, dtype=torch.float64)[None, i]
        score = (residuals(x - e) - residuals(x + e)) / (2 * step)
        assert score.var() == pytest.approx(float(fisher[i, i]), rel=0.09)


def test_eliminated_gains_lose_exactly_what_unknown_gains_cost():
    """The curvature of the concentrated likelihood is the Schur complement, so it inverts to the bound."""
    model, rays = case()
    received = sound(model.link, rays, model.sounding, 0.0)
    gains, _, q = model.concentrated(model.pack(rays), received)
    jacobian = model.derivatives(model.pack(rays), gains)
    jacobian = (jacobian - q @ (q.mH @ jacobian)).flatten(1, 2)
    information = 2 / NOISE * (jacobian.mH @ jacobian).real
    bound = cramer_rao(model, rays, NOISE)
    product = information @ bound.covariance
    assert torch.allclose(product, torch.eye(product.shape[1], dtype=product.dtype)[None], atol=1e-6)
    assert torch.allclose(bound.azimuth_rx, bound.covariance.diagonal(dim1=1, dim2=2)[:, :2].sqrt())


def test_bounds_scale_with_the_noise_and_grow_with_what_is_unknown():
    model, rays = case()
    one, four = cramer_rao(model, rays, NOISE), cramer_rao(model, rays, 4 * NOISE)
    for name in ("azimuth_rx", "azimuth_tx", "theta_rx", "theta_tx", "gains"):
        assert torch.allclose(2 * getattr(one, name), getattr(four, name), rtol=1e-6)
    own, many = case(None, None)  # the same arrays; a coupling matrix for each path is more to find
    assert many.azimuth_rx.shape == rays.azimuth_rx.shape
    same = type(many)(rays.azimuth_rx, rays.azimuth_tx, rays.gains, rays.theta_rx.expand(-1, 2, -1),
                      rays.theta_tx.expand(-1, 2, -1))  # fmt: skip
    wide = cramer_rao(LinkModel(own.link, model.sounding, 2), same, NOISE)
    assert (wide.azimuth_rx > one.azimuth_rx).all() and (wide.azimuth_tx > one.azimuth_tx).all()


def test_what_cannot_be_told_is_refused():
    model, rays = case(2, 0)  # five rows of parameters, two paths to tell them from
    with pytest.raises(EstimatorError, match="not identifiable"):
        cramer_rao(model, rays, NOISE)
    few, rays = case(symbols=3)
    with pytest.raises(EstimatorError, match="more symbols"):
        cramer_rao(few, rays, NOISE)


def test_a_criterion_at_the_truth_has_no_slope_without_noise():
    model, rays = case()
    received = sound(model.link, rays, model.sounding, 0.0)
    gradient = LinkLikelihood(model, received + 1e-3)(model.pack(rays), torch.zeros(1, dtype=torch.int64))[1]
    clean = LinkLikelihood(model, received)(model.pack(rays), torch.zeros(1, dtype=torch.int64))[1]
    assert gradient.abs().max() > 1e-2 and torch.isfinite(clean).all()

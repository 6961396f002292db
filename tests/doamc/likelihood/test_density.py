"""The likelihood, its gradient and the Fisher information against dense formulas and automatic differentiation."""

import pytest
import torch

from doamc.likelihood.fisher import information
from doamc.likelihood.mode_search import covariance_factors
from tests.doamc.posterior.scenes import coordinates_of, observed, point_of, posterior_of

CASES = [("ula8", 1), ("ula8", 2), ("ula8", 3), ("ula8", 4), ("uca5", 2), ("seed16", 3), ("ula4", 2)]


@pytest.mark.parametrize(("array", "n_sources"), CASES)
@pytest.mark.parametrize("unknown", [True, False])
def test_log_likelihood_is_the_dense_gaussian_one(array, n_sources, unknown):
    scene, rhat, count = observed(array, 4, n_sources, 50, 15.0)
    coordinates = coordinates_of(scene, unknown)
    found = posterior_of(coordinates, scene, rhat, count)(point_of(coordinates, scene))[:, 0]
    r = scene.covariance
    trace = torch.linalg.solve(r, rhat).diagonal(dim1=1, dim2=2).real.sum(1)
    assert torch.allclose(found, -count * (torch.linalg.slogdet(r)[1] + trace), rtol=1e-10)


@pytest.mark.parametrize(("array", "n_sources"), CASES)
def test_gradient_is_that_of_automatic_differentiation(array, n_sources):
    scene, rhat, count = observed(array, 3, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    z = torch.randn(3, coordinates.size, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = (point_of(coordinates, scene) + 0.002 * z).requires_grad_()
    (expected,) = torch.autograd.grad(posterior.log_likelihood(x).sum(), x)
    found = information(posterior, x.detach())[0].transpose(1, 2)
    assert (found - expected).abs().max() < 1e-8 * expected.abs().max()


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 2), ("uca5", 2), ("seed16", 2)])
def test_fisher_information_is_the_curvature_at_the_true_covariance(array, n_sources):
    scene, _, count = observed(array, 1, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, scene.covariance, count)
    x = point_of(coordinates, scene)
    hessian = torch.autograd.functional.hessian(lambda v: posterior.log_likelihood(v[None, :, None]).sum(), x[0, :, 0])
    assert torch.allclose(information(posterior, x)[1][0, 0], -hessian, atol=1e-8 * float(hessian.abs().max()))


def test_outside_the_prior_the_posterior_is_nothing():
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    too_close = scene.azimuth.clone()
    too_close[:, 1] = too_close[:, 0] + 0.1  # 5.7 deg, least separation is 8
    parts = list(coordinates.split(x))
    closer = torch.cat([*parts[:3], too_close[..., None], parts[4]], 1)
    louder = x.clone()
    louder[:, 0] = coordinates.high[0] + 0.01
    assert posterior(x).isfinite().all()
    assert (posterior(closer) == -torch.inf).all() and (posterior(louder) == -torch.inf).all()


def test_spread_is_the_inverse_of_information_where_the_prior_is_wide():
    scene, rhat, count = observed("ula8", 2, 2, 100_000, 30.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    root = covariance_factors(posterior, x)
    product = root @ root.mT @ information(posterior, x)[1]
    # the prior's precision adds at most 12 / width^2 to an information of 1e5 snapshots
    assert torch.allclose(product, torch.eye(coordinates.size, dtype=torch.float64).expand_as(product), atol=0.03)


def test_wrapping_keeps_a_scene():
    scene, rhat, count = observed("uca5", 2, 2, 20, 0.0)
    coordinates = coordinates_of(scene)
    posterior, x = posterior_of(coordinates, scene, rhat, count), point_of(coordinates, scene)
    turned = x.clone()
    turned[:, coordinates.n_box :] += 2 * torch.pi
    assert torch.allclose(posterior(turned), posterior(x)) and torch.allclose(coordinates.wrap(turned), x)

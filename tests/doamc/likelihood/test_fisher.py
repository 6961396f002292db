"""Gradient and Fisher information against automatic differentiation."""

import pytest
import torch

from doamc.likelihood.fisher import information
from doamc.likelihood.scene_points import scene_points
from tests.doamc.helpers.directional import directional_spec
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

CASES = [("ula8", 1), ("ula8", 2), ("ula8", 3), ("ula8", 4), ("uca5", 2), ("seed16", 3), ("ula4", 2), ("dome8", 2),
         ("panel16", 3)]  # fmt: skip


@pytest.mark.parametrize(("array", "n_sources"), CASES)
def test_gradient_is_that_of_automatic_differentiation(array, n_sources):
    scene, rhat, count = observed(array, 3, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    the_gradient_is_that_of_automatic_differentiation(posterior, point_of(coordinates, scene))


@pytest.mark.parametrize(("array", "order"), [("ula8", 2), ("seed16", 1), ("dome8", 2), ("panel16", 1)])
def test_gradient_of_coupling_that_depends_on_direction(array, order):
    scene, rhat, count = observed(directional_spec(array, order), 3, 2, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    the_gradient_is_that_of_automatic_differentiation(posterior, scene_points(coordinates, scene))


def the_gradient_is_that_of_automatic_differentiation(posterior, point):
    coordinates = posterior.coordinates
    z = torch.randn(3, coordinates.size, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    x = (point + 0.002 * z).requires_grad_()
    (expected,) = torch.autograd.grad(posterior.log_density(x).sum(), x)
    found = information(posterior, x.detach())[0].transpose(1, 2)
    assert (found - expected).abs().max() < 1e-8 * expected.abs().max()


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 2), ("uca5", 2), ("seed16", 2), ("panel16", 2)])
def test_fisher_information_is_the_curvature_at_the_true_covariance(array, n_sources):
    scene, _, count = observed(array, 1, n_sources, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, scene.covariance, count)
    x = point_of(coordinates, scene)
    hessian = torch.autograd.functional.hessian(lambda v: posterior.log_likelihood(v[None, :, None]).sum(), x[0, :, 0])
    assert torch.allclose(information(posterior, x)[1][0, 0], -hessian, atol=1e-8 * float(hessian.abs().max()))

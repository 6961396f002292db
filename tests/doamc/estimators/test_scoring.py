"""Damped Fisher scoring on problems with known minima; gradients of the criteria against autograd."""

import pytest
import torch

from doamc.estimators.fit import FitCriterion
from doamc.estimators.map import PosteriorCriterion
from doamc.estimators.ml import LikelihoodCriterion, largest_steps
from doamc.estimators.scoring import best_descent, fisher_scoring
from doamc.estimators.soft_prior import SoftPrior
from doamc.scenes import draw_scene
from doamc.scenes.covariance import CovarianceModel
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed

ARRAYS = ["ula8", "uca5", "seed16"]


def disturbed(array: str, size: int = 6, scale: float = 0.1):
    spec = load_spec(array)
    scene, batch = observed(spec, size, 2, 60, 10.0)
    model = CovarianceModel(spec, 2)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power)
    noise = torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(8))
    return model, batch, x + scale * noise


def criteria(model: CovarianceModel, batch):
    eye = torch.eye(batch.n_elements, dtype=torch.complex128).expand_as(batch.covariance)
    return {
        "likelihood": LikelihoodCriterion(model, batch.covariance),
        "fit": FitCriterion(model, batch.covariance, eye),
        "comet": FitCriterion(model, batch.covariance, torch.linalg.inv(batch.covariance)),
    }


@pytest.mark.parametrize("array", ARRAYS)
@pytest.mark.parametrize("name", ["likelihood", "fit", "comet"])
def test_gradients_are_those_of_autograd(array, name):
    model, batch, x = disturbed(array)
    criterion = criteria(model, batch)[name]
    x.requires_grad_(True)
    value, gradient, curvature = criterion(x, torch.arange(len(x)))
    (slope,) = torch.autograd.grad(value.sum(), x)
    assert torch.allclose(gradient, slope, rtol=1e-8, atol=1e-8 * float(slope.detach().abs().max()))
    assert (torch.linalg.eigvalsh(curvature.detach()) > -1e-8 * curvature.detach().abs().max()).all()


@pytest.mark.parametrize("array", ARRAYS)
def test_the_gradient_of_the_posterior_is_that_of_differences(array):
    model, batch, x = disturbed(array)
    criterion, every, h = PosteriorCriterion(model, batch.covariance, 60), torch.arange(len(x)), 1e-6
    gradient, curvature = criterion(x, every)[1:]
    assert SoftPrior(model)(x)[0].max() > 0  # some lie outside, where the prior has a slope
    steps = h * torch.eye(x.shape[1], dtype=x.dtype)
    slope = torch.stack([(criterion(x + d, every)[0] - criterion(x - d, every)[0]) / (2 * h) for d in steps], 1)
    assert torch.allclose(gradient, slope, rtol=1e-5, atol=1e-6 * float(slope.abs().max()))
    assert (torch.linalg.eigvalsh(curvature) > -1e-8 * curvature.abs().max()).all()


@pytest.mark.parametrize("array", ARRAYS)
def test_the_curvature_is_the_expected_hessian(array):
    """At the truth and with the true covariance the Hessian of the likelihood is the Fisher information."""
    spec = load_spec(array)
    scene = draw_scene(spec, 2, 2, 5.0, torch.Generator().manual_seed(1))
    model = CovarianceModel(spec, 2)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power)
    for i in range(2):
        exact = LikelihoodCriterion(model, scene.covariance[i : i + 1])
        index = torch.zeros(1, dtype=torch.int64)
        hessian = torch.autograd.functional.hessian(lambda v: exact(v[None], index)[0].sum(), x[i])  # noqa: B023
        assert torch.allclose(hessian, exact(x[i : i + 1], index)[2][0], rtol=1e-6, atol=1e-6 * hessian.abs().max())


def test_the_soft_prior_is_zero_inside_and_grows_outside():
    spec = load_spec("ula8")
    model = CovarianceModel(spec, 3)
    prior = SoftPrior(model)
    scene = draw_scene(spec, 200, 3, 10.0, torch.Generator().manual_seed(2))
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power)
    assert prior(x)[0].max() == 0
    louder = x.clone()
    louder[:, 3:6] += 5.0  # a gain of the receiver
    assert prior(louder)[0].max() == 0
    outside = x.clone()
    outside[:, 0] = -1.3  # left of the sector at -60 deg
    assert (prior(outside)[0] > 0).all()
    close = x.clone()
    close[:, 1] = close[:, 0] + 0.02
    assert (prior(close)[0] > 0).all()
    coupled = x.clone()
    coupled[:, 6:10] *= 4
    assert (prior(coupled)[0] > 0).all()


def test_a_quadratic_is_solved_and_frozen_coordinates_stay():
    generator = torch.Generator().manual_seed(0)
    m = torch.randn(5, 4, 4, dtype=torch.float64, generator=generator)
    hessian, target = m @ m.mT + torch.eye(4), torch.randn(5, 4, dtype=torch.float64, generator=generator)

    def bowl(x, index):
        gap = (hessian[index] @ (x - target[index])[..., None])[..., 0]
        return 0.5 * ((x - target[index]) * gap).sum(1), gap, hessian[index]

    x, value = fisher_scoring(bowl, torch.zeros(5, 4, dtype=torch.float64), torch.full((4,), 10.0), 60, 1e-18)
    assert torch.allclose(x, target, atol=1e-6) and value.max() < 1e-10
    x, _ = fisher_scoring(bowl, torch.zeros(5, 4, dtype=torch.float64), torch.tensor([10.0, 0.0, 10.0, 10.0]))
    assert (x[:, 1] == 0).all()


def test_the_best_of_several_starts_wins_and_items_stay_apart():
    """A double well, deeper on the right: from starts on both sides the right one is found."""

    def wells(x, index):
        y = x[:, 0]
        value = (y * y - 1).square() - 0.3 * y
        return value, (4 * y * (y * y - 1) - 0.3)[:, None], torch.full((len(x), 1, 1), 8.0, dtype=x.dtype)

    start = torch.tensor([[[-1.2], [0.6]], [[-0.8], [-1.1]]], dtype=torch.float64)
    x, value, curvature = best_descent(wells, start, torch.tensor([0.5]), 2)
    assert torch.equal(value, wells(x, None)[0])
    assert torch.equal(curvature, torch.full((2, 1, 1), 8.0, dtype=torch.float64))
    assert float(x[0, 0]) == pytest.approx(1.035, abs=0.01) and float(x[1, 0]) == pytest.approx(-0.96, abs=0.01)
    assert torch.equal(best_descent(wells, start[1:], torch.tensor([0.5]), 2)[0][0], x[1])


def test_steps_freeze_a_known_noise_power():
    model = CovarianceModel(load_spec("ula8"), 2)
    assert largest_steps(model, True)[-1] == 0 and (largest_steps(model, False) > 0).all()

"""EM of eq. (17): the two steps against closed forms, and the whole against maximum likelihood."""

import math

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.ml import LikelihoodCriterion
from doamc.estimators.soft_prior import SoftPrior
from doamc.routes.complete_data import CompleteData, expectation, response_of
from doamc.routes.em import ExpectationMaximisation
from doamc.scenes.accuracy import scaled_error
from doamc.scenes.covariance import CovarianceModel
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.noise_level import mean_of_smallest
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, exact_batch, observed
from tests.doamc.helpers.wiener import SignalCovariance

SPEC = load_spec("ula8")
MODEL = CovarianceModel(SPEC, 2)


def packed(scene):
    return MODEL.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power)


def hits(found, scene):
    return float((angle_error(found.azimuth, scene.azimuth).abs().amax(1) < math.radians(2)).double().mean())


def test_the_expected_waveforms_are_those_of_the_wiener_filter():
    """V E[s y^H] = W R_hat and V E[s s^H] V^H = W R_hat W^H + R_x0 - W R_x0, W the Wiener filter of the scene."""
    scene, batch = observed(SPEC, 5, 2, 40, 3.0)
    m, v = expectation(MODEL, packed(scene), batch), scene.response
    r = scene.signal_covariance
    w = SignalCovariance.of(r).wiener(scene.noise_power)
    assert torch.allclose(v @ m.sy, w @ batch.covariance, atol=1e-9)
    assert torch.allclose(v @ m.ss @ v.mH, w @ batch.covariance @ w.mH + r - w @ r, atol=1e-9)


def test_draws_have_the_moments_that_the_exact_step_states():
    """20000 draws of 40 snapshots: relative standard error about 0.1 %."""
    scene, batch = observed(SPEC, 2, 2, 40, 0.0)
    normal = torch.randn(2000, 2, 40, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    exact, drawn = (expectation(MODEL, packed(scene), batch, z) for z in (None, normal))
    assert torch.allclose(drawn.ss, exact.ss, atol=0.01)
    assert torch.allclose(drawn.sy, exact.sy, atol=0.02)


def test_gradient_and_curvature_of_the_m_step():
    """At the truth with its own covariance the expected curvature is the Hessian of Q, and the gradient is zero."""
    scene, _ = observed(SPEC, 3, 2, 40, 5.0)
    batch, x = exact_batch(scene, 40), packed(scene)
    moments = expectation(MODEL, x, batch)
    q = CompleteData(MODEL, moments, None, 40)
    _, gradient, curvature = q(x, torch.arange(3))
    assert gradient.abs().max() < 1e-8
    for i in range(3):
        one = expectation(MODEL, x[i : i + 1], batch.select(slice(i, i + 1)))
        hessian = torch.autograd.functional.hessian(lambda v, one=one: q.value(v[None], one)[0], x[i])
        assert torch.allclose(curvature[i], hessian, rtol=1e-6, atol=1e-6 * float(hessian.abs().max()))


def test_q_bounds_the_likelihood():
    """EM's reason: a fall of Q is at most the fall of -log p(y), whatever the new point."""
    scene, batch = observed(SPEC, 20, 2, 60, 5.0)
    x, index = packed(scene), torch.arange(20)
    moments = expectation(MODEL, x, batch)
    q, likelihood = CompleteData(MODEL, moments, None, 60), LikelihoodCriterion(MODEL, batch.covariance)
    step = 0.05 * torch.randn(x.shape, dtype=x.dtype, generator=torch.Generator().manual_seed(3))
    for size in (0.1, 1.0, 4.0):
        y = x + size * step
        fall = likelihood(x, index)[0] - likelihood(y, index)[0]
        assert (q.value(x, moments) - q.value(y, moments) <= fall + 1e-9).all()


@pytest.mark.parametrize("prior", [False, True])
def test_the_objective_never_rises(prior):
    scene, batch = observed(SPEC, 12, 2, 50, 3.0)
    likelihood, soft = LikelihoodCriterion(MODEL, batch.covariance), SoftPrior(MODEL)

    def objective(x):
        value = likelihood(x, torch.arange(12))[0]
        return value + soft(x)[0] / 50 if prior else value

    x = packed(scene) + 0.03
    values = [objective(x)]
    for cycles in range(1, 6):
        em = ExpectationMaximisation(SPEC, prior=prior, iterations=cycles)
        values.append(em.descend(MODEL, batch, x, objective)[1])
    fall = torch.stack(values).diff(dim=0)
    assert (fall <= 1e-9).all() and (fall.sum(0) < -1e-3).all()


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_it_ends_where_maximum_likelihood_does(array):
    """To a twentieth of the error bar in nine scenes of ten; the rest may sit on another of the starts' modes."""
    spec = load_spec(array)
    _, batch = observed(spec, 40, 2, 200, 10.0)
    em, ml = (make_estimator(m, spec)(batch, 2) for m in ("em", "ml"))
    near = ((em.azimuth - ml.azimuth).abs() < 0.05 * ml.std).all(1)
    assert float(near.double().mean()) >= 0.9


def test_few_draws_cost_coupling_accuracy():
    """One draw a snapshot adds its own spread to every moment: at least 2 dB of the coupling at 5 dB SNR."""
    scene, batch = observed(SPEC, 40, 2, 50, 5.0)
    error = [
        float(scaled_error(scene.coupling, make_estimator("em", SPEC, samples=s)(batch, 2).coupling).median())
        for s in (None, 1)
    ]
    assert error[1] > 10**0.2 * error[0]


def test_the_prior_pays_below_threshold():
    """150 scenes at L = 20, 0 dB; the paired difference has a standard error of about 0.03."""
    scene, batch = observed(SPEC, 150, 2, 20, 0.0, seed=9)
    with_prior, without = (hits(make_estimator("em", SPEC, prior=p)(batch, 2), scene) for p in (True, False))
    assert with_prior > without + 0.04


def test_the_response_is_that_of_the_scene():
    scene, _ = observed(SPEC, 4, 2, 5, 5.0)
    assert torch.allclose(response_of(MODEL, packed(scene)), scene.response, atol=1e-12)


def test_no_draw_is_refused():
    with pytest.raises(EstimatorError, match="samples must be at least 1, or None for exact moments, found 0"):
        ExpectationMaximisation(SPEC, samples=0)


def test_draws_of_diffusion_end_where_ml_of_the_draws_does_and_cost_accuracy():
    """The prior of single snapshots does not know the scene: its draws are y with less noise and an error of their own.

    EM on them is maximum likelihood of their covariance, and at 10 dB further from the truth than that of y.
    """
    scene, batch = observed(SPEC, 12, 2, 40, 10.0)
    drawn = ExpectationMaximisation(SPEC, draws="diffusion", samples=4)
    clean, covariance = drawn.diffusion.denoise(batch, mean_of_smallest(batch.eigen[0], 2))
    found = drawn(batch, 2)
    again = ExpectationMaximisation(SPEC)(SnapshotBatch(clean, covariance, 40), 2)
    assert (angle_error(found.azimuth, again.azimuth).abs().amax(1) < 1e-6).double().mean() > 0.9
    exact = ExpectationMaximisation(SPEC)(batch, 2)
    error, least = (scaled_error(scene.coupling, e.coupling).median() for e in (found, exact))
    assert error > 1.5 * least
    with pytest.raises(EstimatorError, match="draws must be one of scene, diffusion, found 'prior'"):
        ExpectationMaximisation(SPEC, draws="prior")

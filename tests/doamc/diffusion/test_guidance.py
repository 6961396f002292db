"""Every guidance keeps the contract; what each is exact for is claimed and checked."""

import pytest
import torch
from benchmarks.yardsticks.gaussian_truth import random_problem

from doamc.diffusion.denoiser import MixtureDenoiser
from doamc.diffusion.grid import make_grid
from doamc.diffusion.guidance import GUIDANCES, guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import ItemNoise, make_sampler, sample
from doamc.errors import SamplerError
from tests.doamc.diffusion.contract import VP, GuidanceContract


class TestMoments(GuidanceContract):
    name, exact = "moments", True


class TestPigdm(GuidanceContract):
    name, exact_white = "pigdm", True


class TestProjection(GuidanceContract):
    name, exact_white = "projection", True


class TestCombined(GuidanceContract):
    name, exact_white = "combined", True


class TestStep(GuidanceContract):
    name, exact_white, only_identity = "step", True, True
    misfit = 0.3  # its one weight is that of the largest singular value


class TestStepWithConstantEta(GuidanceContract):
    name, options = "step", {"eta": 0.01**2}
    misfit = 0.3


class TestLikelihood(GuidanceContract):
    name = "likelihood"
    misfit = 0.3


class TestDps(GuidanceContract):
    name = "dps"
    misfit = 0.3


class TestReplacement(GuidanceContract):
    name = "replacement"


def test_every_registered_guidance_has_a_contract():
    assert {cls.name for cls in GuidanceContract.__subclasses__()} == set(GUIDANCES)


def test_moment_matching_needs_no_circular_signal():
    """A mixture's x_0 given x_t is not circular, so V has a conjugate part: compare with its covariance by
    enumeration.
    """
    means = torch.tensor([[1.0 + 0j, 0.3j], [-1.0, 0.5]], dtype=torch.complex128)
    variances = torch.tensor([0.1, 0.2], dtype=torch.float64)
    prior = MixtureDenoiser(torch.tensor([0.4, 0.6], dtype=torch.float64), means, variances)
    alpha, sigma, noise_power = 0.7, 0.6, 0.05
    x_t = torch.tensor([[0.2 + 0.1j, -0.3j]], dtype=torch.complex128)
    y = torch.tensor([0.4 - 0.2j], dtype=torch.complex128)
    operator = LinearOperator.from_matrix(torch.tensor([[1.0 + 0j, 0.5j]], dtype=torch.complex128))
    found = guide("moments", prior, operator, y, noise_power)(x_t, alpha, sigma)

    share = prior.responsibility(x_t, alpha, sigma)[0]
    gain = alpha * variances / (alpha**2 * variances + sigma**2)
    centre = torch.view_as_real(means + gain[:, None] * (x_t - alpha * means)).mT.flatten(1)  # real parts, imaginary
    own = variances * sigma**2 / (alpha**2 * variances + sigma**2) / 2  # per real component
    mean = share @ centre
    away = centre - mean
    v = (share[:, None, None] * (away[:, :, None] * away[:, None] + own[:, None, None] * torch.eye(4))).sum(0)
    h = operator.matrix
    h = torch.cat([torch.cat([h.real, -h.imag], 1), torch.cat([h.imag, h.real], 1)])
    rest = torch.cat([y.real, y.imag]) - h @ mean
    s = h @ v @ h.mT + noise_power / 2 * torch.eye(2)
    wanted = mean + v @ h.mT @ torch.linalg.solve(s, rest)
    assert torch.allclose(torch.cat([found.real, found.imag], 1)[0], wanted, atol=1e-10)


def test_posterior_weights_of_a_mixture_with_moment_matching():
    """y says which mode it was: the posterior's weights by Bayes' rule, within what matching two moments leaves."""
    means = torch.tensor([[1.5 + 0j, 0.0], [-1.5, 0.0]], dtype=torch.complex128)
    variance = torch.tensor([0.1, 0.1], dtype=torch.float64)
    prior = MixtureDenoiser(torch.tensor([0.5, 0.5], dtype=torch.float64), means, variance)
    operator = LinearOperator.selection(2, [0])
    y, noise_power = torch.tensor([0.3 + 0j], dtype=torch.complex128), 2.0
    weights = torch.softmax(-(y - means[:, 0]).abs().square() / (noise_power + 0.1), 0)
    denoiser = guide("moments", prior, operator, y, noise_power)
    x = sample(denoiser, make_sampler("adams"), make_grid("knee", VP, 20), ItemNoise(range(600), (2,)))
    first = x[:, 0].real > 0
    assert float(first.double().mean()) == pytest.approx(float(weights[0]), abs=4 * 0.5 / 600**0.5)
    # within a mode the posterior is Gaussian: mean (m / 0.1 + y / 2) / (1 / 0.1 + 1 / 2)
    assert (x[first, 0].mean() - (1.5 / 0.1 + 0.3 / 2) / (10 + 0.5)).abs() < 0.2  # moment matching is no longer exact


def test_a_constant_eta_copies_or_ignores_y():
    problem = random_problem(4, 4, 0.2)
    operator = LinearOperator.from_matrix(torch.eye(4, dtype=torch.complex128))
    x = torch.randn(3, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    y = problem.y
    copied, ignored = (guide("step", problem.denoiser, operator, y, 0.04, eta=e)(x, 0.6, 0.8) for e in (0.04, 0.0))
    assert torch.allclose(copied, y.expand(3, 4), atol=1e-12)
    assert torch.allclose(ignored, problem.denoiser(x, 0.6, 0.8), atol=1e-12)


def test_what_does_not_fit_is_said():
    problem = random_problem(4, 2, 0.2)
    for call in (
        lambda: guide("magic", problem.denoiser, problem.operator, problem.y, 0.1),
        lambda: guide("step", problem.denoiser, problem.operator, problem.y[:1], 0.1),
        lambda: guide("step", problem.denoiser, problem.operator, problem.y, 0.0),
    ):
        with pytest.raises(SamplerError, match=r"must be|rows"):
            call()


def test_combined_is_exact_for_any_prior_where_all_is_seen():
    """x_t and y of a mixture, each item with a noise of its own: the mean over components by Bayes' rule."""
    means = torch.tensor([[1.0 + 0j, 0.3j], [-1.0, 0.5]], dtype=torch.complex128)
    prior = MixtureDenoiser(torch.tensor([0.4, 0.6], dtype=torch.float64), means, torch.full((2,), 0.1).double())
    alpha, sigma, noise = 0.7, 0.6, torch.tensor([0.05, 0.8], dtype=torch.float64)
    generator = torch.Generator().manual_seed(2)
    x_t, y = torch.randn(2, 2, 2, dtype=torch.complex128, generator=generator)
    found = guide("combined", prior, LinearOperator.selection(2, [0, 1]), y, noise)(x_t, alpha, sigma)
    for k in range(2):
        log = torch.log(torch.tensor([0.4, 0.6], dtype=torch.float64))
        both = []
        for mean in means:
            r = 1 / (1 / 0.1 + (alpha / sigma) ** 2 + 1 / noise[k])
            both.append(r * (mean / 0.1 + alpha / sigma**2 * x_t[k] + y[k] / noise[k]))
        gram = torch.tensor([[0.1 * alpha**2 + sigma**2, 0.1 * alpha], [0.1 * alpha, 0.1]], dtype=torch.complex128)
        gram[1, 1] += noise[k]
        away = torch.stack([x_t[k], y[k]]) - torch.tensor([alpha, 1.0])[:, None] * means[:, None]  # (K, 2, N)
        log = log - torch.einsum("kin,ij,kjn->k", away.conj(), torch.linalg.inv(gram), away).real
        share = torch.softmax(log, 0)
        assert torch.allclose(found[k], share[0] * both[0] + share[1] * both[1], atol=1e-10)

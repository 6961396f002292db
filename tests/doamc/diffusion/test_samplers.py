"""Every sampler keeps the contract; the bars are in nats, of 16 calls (15 steps and the end) unless a test says
otherwise.
"""

import math

import pytest
import torch
from benchmarks.yardsticks.gaussian_truth import kl, law, random_problem

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.grid import Grid, make_grid
from doamc.diffusion.samplers import SAMPLERS, ItemNoise, make_sampler, network_calls, sample
from doamc.errors import SamplerError
from tests.doamc.diffusion.contract import VP, SamplerContract, guided, span_of


class TestAdams(SamplerContract):
    order, order_steps, kl_bar = 3, (128, 256), 1e-3

    def make(self):
        return make_sampler("adams")


class TestDpmPlusPlus2M(SamplerContract):
    order, kl_bar = 2, 2e-3

    def make(self):
        return make_sampler("dpm++2m")


class TestDpmPlusPlus3M(SamplerContract):
    order, kl_bar = 3, 1e-3

    def make(self):
        return make_sampler("dpm++3m")


class TestDdim(SamplerContract):
    order, kl_bar = 1, 0.5

    def make(self):
        return make_sampler("ddim")


class TestDdimHalf(SamplerContract):
    order, kl_bar = 1, 0.5

    def make(self):
        return make_sampler("ddim", eta=0.5)


class TestDdpm(SamplerContract):
    order, kl_bar = 1, 1.0

    def make(self):
        return make_sampler("ddpm")


class TestEulerMaruyama(SamplerContract):
    """Steps of t: stable only where g^2 dt is small against sigma^2, so it takes many."""

    order, order_steps, kl_bar, steps = 1, (64, 128), 0.01, 60

    def make(self):
        return make_sampler("euler-maruyama")


class TestDpmSolver1(SamplerContract):
    order, kl_bar = 1, 0.5

    def make(self):
        return make_sampler("dpm-1")


class TestDpmSolver2(SamplerContract):
    order, kl_bar, steps = 2, 0.05, 8

    def make(self):
        return make_sampler("dpm-2")


class TestDpmSolver3(SamplerContract):
    order, kl_bar, steps = 3, 0.05, 5

    def make(self):
        return make_sampler("dpm-3")


class TestFlowEuler(SamplerContract):
    order, kl_bar = 1, 0.5

    def make(self):
        return make_sampler("flow-euler")


class TestFlowHeun(SamplerContract):
    grid_name = "log-snr"
    order, kl_bar, steps = 2, 0.4, 8

    def make(self):
        return make_sampler("flow-heun")


class TestFlowRk4(SamplerContract):
    grid_name = "log-snr"
    order, kl_bar, steps = 4, 0.2, 4

    def make(self):
        return make_sampler("flow-rk4")


class TestFlowHeunInTime(SamplerContract):
    order, kl_bar, steps = 2, 0.01, 30

    def make(self):
        return make_sampler("flow-heun", variable="t")


class TestPredictorCorrector(SamplerContract):
    kl_bar = 1.0

    def make(self):
        return make_sampler("predictor-corrector", corrections=2)


class TestAnnealedLangevin(SamplerContract):
    """Five calls a level, on levels close enough for five steps of a fifth of sigma^2 to settle."""

    kl_bar, steps = 0.05, 40

    def make(self):
        return make_sampler("annealed-langevin")


class TestLangevin(SamplerContract):
    """At one level, with sigma^2 a third of the smallest variance: the law of x_t there is reached."""

    kl_bar, mixes, steps = 1.0, False, 60

    def make(self):
        return make_sampler("langevin", size=0.2)

    def grid(self, problem, steps):
        return make_grid("knee", VP, steps, low=-6.0, high=4.0)


def test_ddim_with_eta_one_is_ddpm():
    problem = random_problem(4, 2, 0.2)
    grid = make_grid("log-snr", VP, 7)
    one, other = (
        sample(problem.denoiser, sampler, grid, ItemNoise(range(3), (4,)))
        for sampler in (make_sampler("ddim", eta=1.0), make_sampler("ddpm"))
    )
    assert torch.allclose(one, other, atol=1e-10)


def test_ddim_is_the_first_solver():
    problem = random_problem(4, 2, 0.2)
    grid = make_grid("karras", VP, 7)
    x = torch.randn(2, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    ddim, solver = (sample(problem.denoiser, make_sampler(n), grid, start=x, end="mean") for n in ("ddim", "dpm-1"))
    assert torch.allclose(ddim, solver, atol=1e-10)


@pytest.mark.parametrize("n", [6, 16])
@pytest.mark.parametrize("noise_std", [0.01, 0.1, 1.0])
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_sixteen_calls_reach_the_posterior(n, noise_std, share):
    """The bar of the engine: 1e-3 nats from the posterior at 16 calls, with nothing known but sigma_y, s_1 and the
    power.
    """
    problem = random_problem(n, max(1, round(share * n)), noise_std, seed=7)
    low, high = span_of(problem)
    sampler, grid = make_sampler("adams"), make_grid("knee", VP, 15, low=low, high=high)
    assert network_calls(sampler, grid) == 16
    assert kl(*problem.posterior(), *law(guided(problem), sampler, grid, n)) <= 1e-3


def test_the_half_step_at_the_end_is_right_to_second_order():
    """From the exact law at log-SNR 3 to x_0, one component of variance 1: r = e^-3, error of the variance r^2 /
    4.
    """
    one = torch.ones(1, 1, dtype=torch.complex128)
    denoiser = GaussianDenoiser(torch.zeros(1, dtype=torch.complex128), one)
    grid = make_grid("log-snr", VP, 1, low=3.0, high=3.0)
    r = math.exp(-3.0)
    start = (torch.zeros(1, dtype=torch.complex128), (1 + r) ** 0.5 * grid.alpha[0] * one)
    for end, variance in (("flow", (1 + r / 2) ** 2 / (1 + r)), ("mean", 1 / (1 + r)), ("none", 1 + r)):
        found = law(denoiser, make_sampler("ddim"), grid, 1, end, start=start)[1]
        assert float(found.real) == pytest.approx(variance, rel=1e-9)


def test_noise_of_an_item_is_its_seed_alone():
    first = ItemNoise([1, 2, 3], (4,), block=2)
    second = ItemNoise([2], (4,), block=2)
    for _ in range(7):
        assert torch.equal(first.draw()[1:2], second.draw())


def test_noise_has_unit_power_and_no_pseudo_power():
    z = torch.stack([ItemNoise([5], (20000,), block=1).draw()[0] for _ in range(1)])[0]
    assert float(z.abs().square().mean()) == pytest.approx(1.0, abs=5 / 20000**0.5)
    assert float((z * z).mean().abs()) < 5 / 20000**0.5


def test_what_cannot_be_run_is_said():
    problem = random_problem(4, 2, 0.2)
    grid = make_grid("log-snr", VP, 3)
    for call in (
        lambda: make_sampler("euler"),
        lambda: make_sampler("ddim", eta=1.5),
        lambda: sample(problem.denoiser, make_sampler("ddim"), grid),
        lambda: sample(problem.denoiser, make_sampler("ddpm"), grid, start=problem.mean[None]),
        lambda: sample(problem.denoiser, make_sampler("ddim"), grid, start=problem.mean[None], end="best"),
        lambda: make_sampler("dpm-2").plan(Grid(grid.t, grid.alpha, grid.sigma)),
        lambda: make_sampler("euler-maruyama").plan(Grid(grid.t, grid.alpha, grid.sigma)),
    ):
        with pytest.raises(SamplerError, match=r"expected|must"):
            call()


def test_every_registered_sampler_has_a_contract():
    kept = {type(cls().make()) for cls in SamplerContract.__subclasses__()}
    named = {type(make_sampler(name)) for name in SAMPLERS if name != "indi"}  # InDI starts from y: test_indi
    assert named <= kept

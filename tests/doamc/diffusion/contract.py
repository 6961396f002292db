"""What every sampler and every guidance must do, as test classes to derive from.

    class TestMySampler(SamplerContract):
        order, kl_bar = 2, 1e-3

        def make(self):
            return MySampler()

Everything is judged against linear-Gaussian posteriors and mixtures known in closed form; see `gaussian_truth`.
"""

import math

import pytest
import torch
from benchmarks.yardsticks.gaussian_truth import Given, kl, law, random_problem, stacked
from torch.utils._python_dispatch import TorchDispatchMode

from doamc.diffusion.denoiser import GaussianDenoiser, MixtureDenoiser
from doamc.diffusion.grid import GRIDS, clean_grid, log_snr_span, make_grid
from doamc.diffusion.guidance import guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import ItemNoise, make_sampler, network_calls, sample
from doamc.diffusion.schedules import SCHEDULES, make_schedule

VP = make_schedule("vp")
EYE = torch.eye(3, dtype=torch.float64)


def span_of(problem):
    """Log-SNR span of a problem with prior variances around 1, from what a user knows."""
    smallest = 1 / (1 + float(problem.operator.s[0]) ** 2 / problem.noise_power)
    return log_snr_span(1.0, smallest)


def guided(problem, name="moments", denoiser=None, **options):
    return guide(name, denoiser or problem.denoiser, problem.operator, problem.y, problem.noise_power, **options)


def numbers(plan):
    """All leaves of a plan."""
    if isinstance(plan, (tuple, list)):
        return [leaf for part in plan for leaf in numbers(part)]
    return numbers(tuple(vars(plan).values())) if hasattr(plan, "__dict__") else [plan]


class Operations(TorchDispatchMode):
    """Names of the tensor operations that are done under it."""

    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


class SamplerContract:
    """order: of the error in the step; None for samplers that keep a bias, which then must shrink from `steps` to 4
    `steps`.

    kl_bar: nats from the posterior at `steps` steps of the grid. mixes: whether it finds both modes
    of a mixture.
    """

    order: float | None = None
    order_steps = (32, 64)
    kl_bar: float
    steps = 15
    mixes = True
    grid_name = "knee"

    def make(self):
        raise NotImplementedError

    def grid(self, problem, steps):
        low, high = span_of(problem)
        return make_grid(self.grid_name, VP, steps, low=low, high=high)

    def posterior_kl(self, steps, problem):
        """With the posterior's own denoiser, which is what exact guidance is (GuidanceContract proves that)."""
        posterior = problem.posterior()
        return kl(*posterior, *law(GaussianDenoiser(*posterior), self.make(), self.grid(problem, steps), 4))

    def test_distance_to_the_posterior(self):
        problem = random_problem(4, 2, 0.2, seed=5)
        found = self.posterior_kl(self.steps, problem)
        assert found <= self.kl_bar
        if self.order is None:
            assert self.posterior_kl(4 * self.steps, problem) < found

    @pytest.mark.parametrize("schedule", sorted(SCHEDULES))
    def test_order_of_convergence(self, schedule):
        """Law of the state against the exact one, from the exact law at log-SNR -2, where everything moves."""
        if self.order is None:
            pytest.skip("keeps a bias")
        problem = random_problem(3, 2, 0.3, seed=3)
        errors = []
        for steps in self.order_steps:
            grid = make_grid("log-snr", make_schedule(schedule), steps, low=-2.0, high=4.0)
            first, last = (problem.covariance + (grid.sigma[k] / grid.alpha[k]) ** 2 * EYE for k in (0, -1))
            start = (grid.alpha[0] * problem.mean, grid.alpha[0] * torch.linalg.cholesky(first))
            mean, covariance = law(problem.denoiser, self.make(), grid, 3, "none", start=start)
            errors.append(max((mean - problem.mean).abs().max(), (covariance - last).abs().max()))
        slope = math.log(errors[0] / errors[1]) / math.log(self.order_steps[1] / self.order_steps[0])
        assert slope == pytest.approx(self.order, abs=0.3)

    @pytest.mark.parametrize("name", sorted(GRIDS))
    @pytest.mark.parametrize("schedule", sorted(SCHEDULES))
    def test_finite_on_every_grid_with_any_number_of_steps(self, name, schedule):
        problem = random_problem(4, 2, 0.2)
        denoiser = GaussianDenoiser(*(v.to(torch.complex64) for v in (problem.mean, problem.covariance)))
        for steps in (1, 2, 3, 7, 41):
            grid = make_grid(name, make_schedule(schedule), steps)
            for clean, end in ((False, "flow"), (True, "none"), (False, "none"), (True, "flow"))[
                : 2 if steps > 3 else 4
            ]:
                noise = ItemNoise([0], (4,), torch.complex64)
                x = sample(denoiser, self.make(), clean_grid(grid) if clean else grid, noise, end=end)
                assert x.dtype == torch.complex64 and torch.isfinite(x.abs()).all()

    def test_items_do_not_know_each_other(self):
        problem = random_problem(4, 2, 0.2)
        grid = self.grid(problem, 6)

        def run(seeds):
            return sample(guided(problem, "dps"), self.make(), grid, ItemNoise(seeds, (4,)))

        assert torch.allclose(run([3, 4, 5, 6])[2], run([5])[0], rtol=0, atol=1e-10)

    def test_complex_states_are_stacked_real_ones(self):
        problem = random_problem(4, 3, 0.2)
        both = stacked(problem)
        grid = self.grid(problem, 6)
        draws = [torch.randn(2, 4, dtype=torch.complex128) for _ in range(80)]
        real_draws = [2**0.5 * torch.cat([d.real, d.imag], 1) for d in draws]
        x = sample(guided(problem), self.make(), grid, Given(draws))
        x_real = sample(guided(both), self.make(), grid, Given(real_draws))
        assert torch.allclose(2**0.5 * torch.cat([x.real, x.imag], 1), x_real, atol=1e-8)

    def test_weights_and_means_of_a_mixture(self):
        if not self.mixes:
            pytest.skip("stays in the mode where it starts")
        means = torch.tensor([[1.5 + 0j, 0.5j], [-1.5, 1.0]], dtype=torch.complex128)
        weights = torch.tensor([0.3, 0.7], dtype=torch.float64)
        denoiser = MixtureDenoiser(weights, means, torch.tensor([0.1, 0.2], dtype=torch.float64))
        count = 1500
        noise = ItemNoise(range(count), (2,))
        x = sample(denoiser, self.make(), make_grid(self.grid_name, VP, 2 * self.steps, low=-10.0, high=5.0), noise)
        first = x[:, 0].real > 0
        assert float(first.double().mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / count) + 0.01)
        assert (x[first].mean(0) - means[0]).abs().max() < 0.1
        assert (x[~first].mean(0) - means[1]).abs().max() < 0.1

    def test_plan_is_plain_numbers_and_calls_are_counted(self):
        problem = random_problem(4, 2, 0.2)
        grid, sampler, calls = self.grid(problem, 9), self.make(), []

        def counted(x, alpha, sigma):
            calls.append(alpha)
            return problem.denoiser(x, alpha, sigma)

        assert {type(leaf) for leaf in numbers(list(sampler.plan(grid)))} <= {float, type(None)}
        sample(counted, sampler, grid, ItemNoise([0], (4,)))
        assert len(calls) == network_calls(sampler, grid)

    def test_a_step_is_little_arithmetic_and_never_waits_for_the_device(self):
        """At most ten operations a call beside the denoiser's own, none of which reads a tensor back (item, bool,
        tolist).
        """
        problem = random_problem(4, 2, 0.2)
        grid, sampler = self.grid(problem, 40), self.make()
        sampler.planned(grid)  # made once, before
        with Operations() as done:
            sample(lambda x, alpha, sigma: x, sampler, grid, ItemNoise([0], (4,)))
        assert not [name for name in done.names if "_local_scalar_dense" in name or "is_nonzero" in name]
        assert len(done.names) <= 10 * network_calls(sampler, grid)


class GuidanceContract:
    """exact: whether it gives the posterior of any Gaussian; exact_white: of white x_0 of unit power (H = I where
    only that is said); name and options as `guide` takes them.
    """

    name: str
    options: dict = {}
    exact = False
    exact_white = False
    only_identity = False
    grid_steps = 15
    misfit = 0.1
    smallest_noise = 0.01

    def law_kl(self, problem):
        low, high = span_of(problem)
        grid = make_grid("knee", VP, self.grid_steps, low=low, high=high)
        denoiser = guided(problem, self.name, **self.options)
        return kl(*problem.posterior(), *law(denoiser, make_sampler("adams"), grid, len(problem.mean)))

    @pytest.mark.parametrize(("n", "rank", "noise_std"), [(6, 1, 0.01), (6, 4, 0.1), (16, 16, 0.01), (8, 3, 1.0)])
    def test_posterior_of_any_gaussian(self, n, rank, noise_std):
        problem = random_problem(n, rank, noise_std, seed=n)
        if self.exact:
            assert self.law_kl(problem) <= 1e-3
        else:
            pytest.skip("does not sample the posterior; docs/samplers.md has the figures")

    def test_posterior_of_white_signals(self):
        if not (self.exact_white or self.exact):
            pytest.skip("does not sample the posterior; docs/samplers.md has the figures")
        problem = random_problem(5, 5 if self.only_identity else 3, 0.2, seed=2, spread=0.0)
        if self.only_identity:
            operator = LinearOperator.from_matrix(torch.eye(5, dtype=torch.complex128))
            problem = type(problem)(problem.mean, problem.covariance, operator, problem.y, problem.noise_power)
        assert self.law_kl(problem) <= 1e-3

    def test_items_do_not_know_each_other(self):
        problem = random_problem(5, 3, 0.2, seed=1)
        x = torch.randn(4, 5, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
        y = problem.y + torch.arange(4)[:, None]
        alpha, sigma = 0.6, 0.8
        whole = guide(self.name, problem.denoiser, problem.operator, y, 0.04, **self.options)(x, alpha, sigma)
        alone = guide(self.name, problem.denoiser, problem.operator, y[2:3], 0.04, **self.options)(x[2:3], alpha, sigma)
        assert torch.allclose(whole[2:3], alone, atol=1e-12)

    @pytest.mark.parametrize(("alpha", "sigma"), [(1e-3, 1.0), (0.6, 0.8), (1.0, 1e-3)])
    def test_complex_is_stacked_real_and_finite(self, alpha, sigma):
        problem = random_problem(5, 3, 0.2, rows=4)
        both = stacked(problem)
        x = torch.randn(2, 5, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
        found = guided(problem, self.name, **self.options)(x, alpha, sigma)
        real = guided(both, self.name, **self.options)(2**0.5 * torch.cat([x.real, x.imag], 1), alpha, sigma)
        assert torch.isfinite(real).all()
        assert torch.allclose(2**0.5 * torch.cat([found.real, found.imag], 1), real, atol=1e-7)

    def test_what_is_observed_is_followed(self):
        """With little noise in y, samples agree with it to a share of its size, where unguided ones do not."""
        problem = random_problem(6, 3, self.smallest_noise, seed=4)
        low, high = span_of(problem)
        grid = make_grid("knee", VP, 30, low=low, high=high)
        results = []
        for denoiser in (guided(problem, self.name, **self.options), problem.denoiser):
            x = sample(denoiser, make_sampler("ddim"), grid, ItemNoise(range(8), (6,)))
            rest = problem.y - problem.operator.apply(x)
            results.append(float((rest.abs().square().sum() / (8 * problem.y.abs().square().sum())).sqrt()))
        assert results[0] < self.misfit < 0.5 < results[1]

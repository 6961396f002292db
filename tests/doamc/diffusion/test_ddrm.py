"""DDRM: its three regimes by hand, its contract, and what becomes of its spread."""

import pytest
import torch
from benchmarks.yardsticks.gaussian_truth import Given, law, random_problem, stacked

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.grid import GRIDS, clean_grid, make_grid
from doamc.diffusion.guidance import Ddrm, guide
from doamc.diffusion.linear_operator import LinearOperator
from doamc.diffusion.samplers import ItemNoise, sample
from doamc.diffusion.samplers.ddim import Ddim
from doamc.diffusion.schedules import SCHEDULES, make_schedule
from doamc.errors import SamplerError
from tests.doamc.diffusion.contract import VP, span_of


def chain(problem, **options):
    return Ddrm(problem.operator, problem.y, problem.noise_power, **options)


@pytest.mark.parametrize(("eta", "eta_b"), [(0.85, 1.0), (0.0, 0.7), (1.0, 0.0)])
def test_one_step_in_each_regime(eta, eta_b):
    """H = diag(1, 0.1, 0) with sigma_y = 0.2 and a step down to q = 0.5: seen well, seen badly, not seen."""
    operator = LinearOperator.from_matrix(torch.diag(torch.tensor([1.0, 0.1, 0.0])).to(torch.complex128))
    y = torch.tensor([1.0 + 1j, 0.3, 9.0], dtype=torch.complex128)
    grid = make_grid("log-snr", make_schedule("ve"), 1, low=-2 * 0.0, high=2 * 0.6931471805599453)  # q from 1 to 1/2
    m = torch.tensor([[0.2, -0.4j, 0.7]], dtype=torch.complex128)
    x = torch.tensor([[0.5, 0.1, -0.3j]], dtype=torch.complex128)
    z = torch.tensor([[1.0, 1j, -1.0]], dtype=torch.complex128)
    sampler = Ddrm(operator, y, 0.04, eta, eta_b)
    found = sampler.step(x, sampler.plan(grid)[0], lambda *_: m, Given([z]), [])[0]
    w, kept = y / torch.tensor([1.0, 0.1, 1.0]), (1 - eta**2) ** 0.5
    wanted = [
        (1 - eta_b) * m[0, 0] + eta_b * w[0] + (0.25 - eta_b**2 * 0.04) ** 0.5 * z[0, 0],
        m[0, 1] + kept * 0.5 * (w[1] - m[0, 1]) / 2.0 + eta * 0.5 * z[0, 1],
        m[0, 2] + kept * 0.5 * (x[0, 2] - m[0, 2]) / 1.0 + eta * 0.5 * z[0, 2],
    ]
    assert torch.allclose(found, torch.stack(wanted), atol=1e-9)


def test_it_starts_around_what_is_seen_well():
    """H = diag(1, 0.1, 0), sigma_y = 0.2, q = 1: N(w, q^2 - sigma_y^2) for the first, N(0, q^2) for the others."""
    operator = LinearOperator.from_matrix(torch.diag(torch.tensor([1.0, 0.1, 0.0])).to(torch.complex128))
    y, z = torch.tensor([1.0 + 1j, 0.3, 9.0], dtype=torch.complex128), torch.randn(5, 3, dtype=torch.complex128)
    grid = make_grid("log-snr", VP, 1, low=0.0, high=2.0)  # q = 1 at alpha = sqrt(1/2)
    found = Ddrm(operator, y, 0.04).start(grid, z) / grid.alpha[0]
    assert torch.allclose(found[:, 0], y[0] + 0.96**0.5 * z[:, 0], atol=1e-9)
    assert torch.allclose(found[:, 1:], z[:, 1:], atol=1e-9)
    # real states hear a complex y twice, with half of the noise each; far above everything the start is noise alone
    real = Ddrm(operator, y, 0.04).start(grid, z.real) / grid.alpha[0]
    assert torch.allclose(real[:, 0], y[0].real + 0.98**0.5 * z.real[:, 0], atol=1e-9)
    far = make_grid("log-snr", VP, 1, low=-30.0, high=2.0)
    assert torch.allclose(Ddrm(operator, y, 0.04).start(far, z), far.sigma[0] * z, atol=1e-5)


def test_a_clean_end_is_the_mean_of_the_denoiser():
    """As in eq. (8): 0 < sigma_y / s_i, whatever y says, even 1e-6 beside a last level of 0.05: y is in the state."""
    operator, y = LinearOperator.from_matrix(torch.eye(2, dtype=torch.complex128)), torch.tensor([1.0, 2.0 + 0j])
    end, asked = clean_grid(make_grid("log-snr", VP, 6, low=-8.0, high=6.0)), []

    def denoiser(x, alpha, sigma):
        asked.append((0.5 * x / alpha, sigma / alpha))
        return asked[-1][0]

    x = sample(denoiser, Ddrm(operator, y.to(torch.complex128), 1e-12), end, ItemNoise([0], (2,)))
    last, q = asked[-1]
    assert torch.equal(x, last) and q == pytest.approx(0.05, rel=0.01)
    assert (x[0] - 0.5 * y).abs().max() < 4 * 0.5 * q


@pytest.mark.parametrize("schedule", sorted(SCHEDULES))
@pytest.mark.parametrize("name", sorted(GRIDS))
def test_finite_on_every_grid(name, schedule):
    problem = random_problem(4, 2, 0.2)
    for steps in (1, 2, 17):
        grid = make_grid(name, make_schedule(schedule), steps)
        for end in (grid, clean_grid(grid)):
            assert torch.isfinite(sample(problem.denoiser, chain(problem), end, ItemNoise([0], (4,))).abs()).all()


def test_items_do_not_know_each_other_and_complex_is_stacked_real():
    problem = random_problem(4, 3, 0.2)
    low, high = span_of(problem)
    grid = make_grid("log-snr", VP, 8, low=low, high=high)
    whole = sample(problem.denoiser, chain(problem), grid, ItemNoise([3, 4, 5], (4,)))
    alone = sample(problem.denoiser, chain(problem), grid, ItemNoise([4], (4,)))
    assert torch.allclose(whole[1:2], alone, atol=1e-12)
    draws = [torch.randn(2, 4, dtype=torch.complex128) for _ in range(9)]
    both = stacked(problem)
    x = sample(problem.denoiser, chain(problem), grid, Given(draws))
    real = [2**0.5 * torch.cat([d.real, d.imag], 1) for d in draws]
    x_real = sample(both.denoiser, chain(both), grid, Given(real))
    assert torch.allclose(2**0.5 * torch.cat([x.real, x.imag], 1), x_real, atol=1e-9)


def test_what_is_not_seen_is_filled_from_what_is():
    """Two of three strongly correlated channels: the third follows, to the posterior mean within its deviation."""
    a = torch.tensor([1.0, 1j, -1.0], dtype=torch.complex128)
    prior = GaussianDenoiser(torch.zeros(3, dtype=torch.complex128), torch.outer(a, a.conj()) + 0.01 * torch.eye(3))
    sampler = Ddrm(LinearOperator.selection(3, [0, 1]), 2 * a[:2], 1e-4)
    grid = make_grid("log-snr", VP, 30, low=-8.0, high=9.0)
    x = sample(prior, sampler, grid, ItemNoise(range(50), (3,)))
    assert (x[:, :2].mean(0) - 2 * a[:2]).abs().max() < 0.02
    assert (x[:, 2].mean() - 2 * a[2]).abs() < 0.15


def test_its_spread_is_no_error_bar():
    """Where H sees, the samples' variance is a share of the posterior's, the smaller the more steps: it must never
    be published.
    """
    problem = random_problem(6, 6, 0.3, seed=1)
    low, high = span_of(problem)
    true = problem.posterior()[1].diagonal().real.sum()
    shares = []
    for steps in (10, 80):
        grid = make_grid("log-snr", VP, steps, low=low, high=high)
        shares.append(float(law(problem.denoiser, chain(problem), grid, 6)[1].diagonal().real.sum() / true))
    assert shares[1] < shares[0] < 0.5


def test_bad_settings_are_said():
    problem = random_problem(4, 2, 0.2)
    for options in ({"eta": 1.1}, {"eta_b": -0.1}):
        with pytest.raises(SamplerError, match=r"0\.\.1"):
            chain(problem, **options)
    with pytest.raises(SamplerError, match="expected y with"):
        Ddrm(problem.operator, problem.y[:1], 0.1)


@pytest.mark.parametrize("matrix", [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.5j], [0.0, 1.0 + 1j]]])
def test_real_states_under_a_complex_matrix(matrix):
    """Real x_0 seen through a complex H are two real observations of half the noise each; noise 1e-4 leaves x_0."""
    operator = LinearOperator.from_matrix(torch.tensor(matrix, dtype=torch.complex128))
    x_0 = torch.tensor([0.7, -1.2], dtype=torch.float64)
    y = operator.apply(x_0.to(torch.complex128))
    prior = GaussianDenoiser(torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64))
    grid = make_grid("log-snr", VP, 40, low=-8.0, high=9.0)
    noise = ItemNoise(range(20), (2,), torch.float64)
    assert (sample(prior, Ddrm(operator, y, 1e-4), grid, noise).mean(0) - x_0).abs().max() < 0.02
    for name in ("moments", "projection", "step", "combined"):
        found = sample(guide(name, prior, operator, y, 1e-4), Ddim(), grid, noise)
        bar = 0.1 if name == "step" else 0.02  # its weight is that of the direction seen best
        assert (found.mean(0) - x_0).abs().max() < bar

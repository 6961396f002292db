"""DDIM on Gaussians, where every step is known in closed form."""

import pytest
import torch

from doamc.diffusion import Grid, VPSchedule, log_snr_grid
from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.samplers import TableNoise, make_sampler, sample
from doamc.errors import SamplerError

SCHEDULE = VPSchedule()
STEP = Grid((0.5, 0.3), (0.5, 0.8), (0.866, 0.6))


def final_deviation(variance: float, n_steps: int) -> float:
    """Standard deviation that DDIM gives to samples: the step is linear, so it maps x_T = 1 to a factor."""
    one = torch.ones(1, 1, dtype=torch.float64)
    grid = log_snr_grid(SCHEDULE, n_steps, -10.0, 12.0)
    denoiser = GaussianDenoiser(torch.zeros(1, dtype=torch.float64), variance * one)
    return float(sample(denoiser, make_sampler("ddim"), grid, start=one, end="none") * grid.alpha[-1])


@pytest.mark.parametrize("variance", [0.01, 1.0, 25.0])
def test_order_one_and_the_right_variance_in_the_limit(variance):
    error = [abs(final_deviation(variance, n) / variance**0.5 - 1) for n in (50, 100, 200, 400)]
    assert error[-1] < 0.02
    if error[0] > 1e-3:  # variance 1 is a fixed point of the flow: nothing to converge
        slopes = torch.tensor(error).log2().diff()
        assert slopes[0] == pytest.approx(-1.0, abs=0.3)


def one_step(x_t, x_0, grid, eta=0.0, noise=None):
    """State after the first step of a grid, for a denoiser that always answers x_0."""
    table = None if noise is None else TableNoise(noise[None])
    return grid.alpha[1] * sample(lambda *_: x_0, make_sampler("ddim", eta=eta), grid, table, start=x_t, end="none")


def test_a_step_is_that_of_the_formula():
    """Equations (32)-(33): the clean part is put in its new place, the noise is scaled."""
    x_t, x_0 = torch.tensor([0.7], dtype=torch.float64), torch.tensor([-0.2], dtype=torch.float64)
    eps = (0.7 + 0.5 * 0.2) / 0.866
    assert float(one_step(x_t, x_0, STEP)) == pytest.approx(0.8 * -0.2 + 0.6 * eps, rel=1e-12)


def test_eta_one_is_the_ancestral_step():
    """Equation (42), corrected: mean and variance of q(x_{t-1} | x_t, x_0)."""
    t = torch.tensor([0.5, 0.45], dtype=torch.float64)
    alpha, sigma = SCHEDULE.alpha(t).tolist(), SCHEDULE.sigma(t).tolist()
    ratio = (alpha[0] / alpha[1]) ** 2  # alpha_t of DDPM
    x_t, x_0 = torch.tensor([0.7], dtype=torch.float64), torch.tensor([-0.2], dtype=torch.float64)
    mean = (ratio**0.5 * sigma[1] ** 2 * x_t + alpha[1] * (1 - ratio) * x_0) / sigma[0] ** 2
    std = (sigma[1] ** 2 / sigma[0] ** 2 * (1 - ratio)) ** 0.5
    grid = Grid(tuple(t.tolist()), tuple(alpha), tuple(sigma))
    zero, one = (one_step(x_t, x_0, grid, 1.0, torch.full_like(x_t, z)) for z in (0.0, 1.0))
    assert float(zero) == pytest.approx(float(mean), rel=1e-12)
    assert float(one - zero) == pytest.approx(std, rel=1e-12)


def test_complex_equals_stacked_real():
    x_t, x_0 = torch.randn(2, 5, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
    whole, parts = one_step(x_t, x_0, STEP), one_step(torch.view_as_real(x_t), torch.view_as_real(x_0), STEP)
    assert torch.allclose(torch.view_as_real(whole), parts)


def test_noise_is_needed_for_eta():
    with pytest.raises(SamplerError, match="expected a noise source"):
        one_step(torch.ones(1), torch.ones(1), STEP, eta=0.5)

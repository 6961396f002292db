"""DDIM on Gaussians, where every step is known in closed form."""

import pytest
import torch

from doamc.diffusion import VPSchedule, ddim_step, log_snr_grid

SCHEDULE = VPSchedule()


def gaussian_mean(x, alpha, sigma, variance):
    """E[x0 | x_t] for x0 ~ N(0, variance)."""
    return alpha * variance / (alpha**2 * variance + sigma**2) * x


def final_deviation(variance: float, n_steps: int) -> float:
    """Standard deviation that DDIM gives to samples: the step is linear, so it maps x_T = 1 to a factor."""
    grid = log_snr_grid(SCHEDULE, n_steps, -10.0, 12.0)
    x = torch.ones(1, dtype=torch.float64)
    for k in range(n_steps):
        x_0 = gaussian_mean(x, grid.alpha[k], grid.sigma[k], variance)
        x = ddim_step(x, x_0, grid.alpha[k : k + 2], grid.sigma[k : k + 2])
    return float(x)


@pytest.mark.parametrize("variance", [0.01, 1.0, 25.0])
def test_order_one_and_the_right_variance_in_the_limit(variance):
    error = [abs(final_deviation(variance, n) / variance**0.5 - 1) for n in (50, 100, 200, 400)]
    assert error[-1] < 0.02
    if error[0] > 1e-3:  # variance 1 is a fixed point of the flow: nothing to converge
        slopes = torch.tensor(error).log2().diff()
        assert slopes[0] == pytest.approx(-1.0, abs=0.3)


def test_eta_one_is_the_ancestral_step():
    """Equation (42), corrected: mean and variance of q(x_{t-1} | x_t, x_0)."""
    t, s = torch.tensor(0.5, dtype=torch.float64), torch.tensor(0.45, dtype=torch.float64)
    alpha = (float(SCHEDULE.alpha(t)), float(SCHEDULE.alpha(s)))
    sigma = (float(SCHEDULE.sigma(t)), float(SCHEDULE.sigma(s)))
    ratio = (alpha[0] / alpha[1]) ** 2  # alpha_t of DDPM
    x_t, x_0 = torch.tensor([0.7]), torch.tensor([-0.2])
    mean = (ratio**0.5 * sigma[1] ** 2 * x_t + alpha[1] * (1 - ratio) * x_0) / sigma[0] ** 2
    spread = (sigma[1] ** 2 / sigma[0] ** 2 * (1 - ratio)) ** 0.5
    zero, one = (ddim_step(x_t, x_0, alpha, sigma, 1.0, torch.tensor([z])) for z in (0.0, 1.0))
    assert torch.allclose(zero, mean, atol=1e-6)
    assert float(one - zero) == pytest.approx(spread, rel=1e-5)


def test_complex_equals_stacked_real():
    x = torch.randn(5, dtype=torch.complex128)
    x_0 = torch.randn(5, dtype=torch.complex128)
    whole = ddim_step(x, x_0, (0.5, 0.8), (0.866, 0.6))
    parts = ddim_step(torch.view_as_real(x), torch.view_as_real(x_0), (0.5, 0.8), (0.866, 0.6))
    assert torch.allclose(torch.view_as_real(whole), parts)


def test_noise_is_needed_for_eta():
    with pytest.raises(TypeError, match="eta > 0 needs noise"):
        ddim_step(torch.ones(1), torch.ones(1), (0.5, 0.8), (0.866, 0.6), eta=0.5)

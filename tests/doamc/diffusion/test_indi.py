"""InDI on a Gaussian signal in white noise, where every step is linear."""

import math

import pytest
import torch
from benchmarks.yardsticks.gaussian_truth import law

from doamc.diffusion.denoiser import GaussianDenoiser
from doamc.diffusion.samplers import ItemNoise, indi_grid, make_sampler, sample
from doamc.errors import SamplerError

ONE = torch.ones(1, 1, dtype=torch.complex128)
V = 2.0
PRIOR = GaussianDenoiser(torch.zeros(1, dtype=torch.complex128), V * ONE)


def restored(noise_std, steps):
    """What InDI makes of y = 1."""
    grid = indi_grid(noise_std, steps)
    return float(sample(PRIOR, make_sampler("indi"), grid, start=ONE, end="mean").real)


def test_one_step_is_the_mean_and_many_keep_the_power_of_the_signal():
    """(64) with tau = t = 1 denoises once; as tau -> 0 the flow gives sqrt(V / (V + sigma_y^2)) y, which has the
    power of x_0.
    """
    assert restored(0.7, 1) == pytest.approx(V / (V + 0.49))
    errors = [abs(restored(0.7, n) - math.sqrt(V / (V + 0.49))) for n in (50, 100)]
    assert errors[1] < 0.01
    assert math.log2(errors[0] / errors[1]) == pytest.approx(1.0, abs=0.3)


def test_step_is_equation_64():
    sampler, grid = make_sampler("indi"), indi_grid(0.5, 4)
    x = sampler.step(ONE, list(sampler.plan(grid.noisy()))[1], PRIOR, None, [])  # t = 3/4, tau = 1/4
    assert float(x.real) == pytest.approx(2 / 3 + 1 / 3 * V / (V + (0.75 * 0.5) ** 2))


def test_stochastic_steps_carry_the_noise_that_the_denoiser_expects():
    """With a denoiser that knows x_0 = 0, x_t is noise alone: of power t^2 sigma_t^2 = t path_std^2 at every t, eq.
    (66).
    """
    path_std, grid = 0.6, indi_grid(0.5, 8, 0.6)
    sampler = make_sampler("indi", path_std=path_std)
    power = path_std**2  # of x_1 - y
    for k, (sigma, keep, _, added) in enumerate(sampler.plan(grid.noisy())):
        assert sigma == pytest.approx(math.sqrt((grid.t[k] * 0.5) ** 2 + grid.t[k] * path_std**2))
        power = keep**2 * power + added**2
        assert power == pytest.approx(grid.t[k + 1] * path_std**2)


def test_stochastic_indi_spreads_more_with_more_spread():
    variances = []
    for path_std in (0.0, 0.5, 1.0):
        sampler = make_sampler("indi", path_std=path_std)
        covariance = law(PRIOR, sampler, indi_grid(0.5, 64, path_std), 1, start=(ONE[0], path_std * ONE))[1]
        variances.append(float(covariance.real))
    assert variances[0] == pytest.approx(0.0, abs=1e-12) and 0.01 < variances[1] < variances[2]


def test_items_have_their_own_noise_and_bad_settings_are_said():
    sampler = make_sampler("indi", path_std=0.5)
    noise = ItemNoise([1, 2], (1,))
    start = sampler.start(ONE.expand(2, 1), noise)
    x = sample(PRIOR, sampler, indi_grid(0.5, 8, 0.5), noise, start=start)
    assert x[0] != x[1]
    with pytest.raises(SamplerError, match="expected noise_std > 0"):
        indi_grid(0.0, 3)

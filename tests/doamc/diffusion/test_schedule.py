"""The schedule against its defining equations, and grids at both ends."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from doamc.diffusion import VPSchedule, log_snr_grid, uniform_grid

SCHEDULE = VPSchedule()


@given(st.floats(1e-4, 1.0))
def test_alpha_integrates_beta_and_variance_is_preserved(t):
    u = torch.linspace(0, t, 2001, dtype=torch.float64)
    area = torch.trapezoid(SCHEDULE.beta(u), u)  # exact: beta is linear
    now = torch.tensor(t, dtype=torch.float64)
    alpha, sigma = SCHEDULE.alpha(now), SCHEDULE.sigma(now)
    assert float(alpha) == pytest.approx(math.exp(-0.5 * float(area)), rel=1e-9)
    assert float(alpha**2 + sigma**2) == pytest.approx(1.0, abs=1e-12)
    assert float(SCHEDULE.log_snr(now)) == pytest.approx(2 * math.log(float(alpha / sigma)), rel=1e-6, abs=1e-9)


@given(st.floats(-9.9, 20.0))
def test_time_inverts_log_snr(value):
    t = SCHEDULE.time(torch.tensor(value, dtype=torch.float64))
    assert float(SCHEDULE.log_snr(t)) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("n_steps", [1, 3, 7, 100])
@pytest.mark.parametrize("make", [log_snr_grid, uniform_grid])
def test_grids_fall_in_noise_and_are_finite_for_any_step_count(make, n_steps):
    grid = make(SCHEDULE, n_steps)
    assert len(grid) == n_steps and len(grid.t) == len(grid.alpha) == len(grid.sigma) == n_steps + 1
    assert all(a > b > 0 for a, b in zip(grid.t, grid.t[1:], strict=False))
    assert all(0 < v <= 1 for v in grid.alpha + grid.sigma)
    assert all(isinstance(v, float) for v in grid.alpha)

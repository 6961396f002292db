"""Schedules against each other and numerical derivatives; grids; DDPM's integers."""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.diffusion.ddpm_index import alpha_bar, betas, index_of_time, time_of_index, times_of_betas
from doamc.diffusion.grid import GRIDS, log_snr_span, make_grid
from doamc.diffusion.schedules import SCHEDULES, make_schedule
from doamc.errors import SamplerError

T = torch.linspace(0.01, 0.99, 50, dtype=torch.float64)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_time_inverts_log_snr_and_log_snr_is_the_ratio(name):
    schedule = make_schedule(name)
    assert torch.allclose(schedule.time(schedule.log_snr(T)), T, atol=1e-12)
    alpha, sigma = schedule(T)
    assert torch.allclose(schedule.log_snr(T), 2 * (alpha / sigma).log(), atol=1e-10)
    far = torch.linspace(-11.0, 20.0, 40, dtype=torch.float64)
    assert torch.allclose(schedule.log_snr(schedule.time(far)), far, atol=1e-6)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_sde_coefficients_are_the_derivatives(name):
    """f = d log alpha / dt and g^2 = d sigma^2 / dt - 2 f sigma^2 by central differences: error h^2."""
    schedule, h = make_schedule(name), 1e-5
    f = (schedule.alpha(T + h).log() - schedule.alpha(T - h).log()) / (2 * h)
    growth = (schedule.sigma(T + h).square() - schedule.sigma(T - h).square()) / (2 * h)
    assert torch.allclose(schedule.drift(T), f, rtol=1e-5, atol=1e-8)
    assert torch.allclose(schedule.diffusion(T).square(), growth - 2 * f * schedule.sigma(T).square(), rtol=1e-5)


@pytest.mark.parametrize("name", ["vp", "cosine"])
def test_variance_is_preserved(name):
    alpha, sigma = make_schedule(name)(T)
    assert torch.allclose(alpha.square() + sigma.square(), torch.ones_like(T), atol=1e-12)


@given(steps=st.integers(1, 300), name=st.sampled_from(sorted(GRIDS)), schedule=st.sampled_from(sorted(SCHEDULES)))
@settings(max_examples=40)
def test_any_number_of_steps_gives_a_valid_grid(steps, name, schedule):
    grid = make_grid(name, make_schedule(schedule), steps)
    assert len(grid) == steps
    clock = torch.tensor(grid.half_log_snr)
    assert torch.isfinite(clock).all() and (clock.diff() > 0).all()
    assert all(isinstance(v, float) and math.isfinite(v) for v in (*grid.t, *grid.alpha, *grid.sigma))


def test_karras_points_are_uniform_in_the_seventh_root_and_knee_is_uniform_in_its_variable():
    grid = make_grid("karras", make_schedule("vp"), 9)
    ratio = torch.tensor([s / a for a, s in zip(grid.alpha, grid.sigma, strict=True)], dtype=torch.float64)
    assert torch.allclose((ratio ** (1 / 7)).diff(), (ratio ** (1 / 7)).diff()[:1], rtol=1e-8)
    grid = make_grid("knee", make_schedule("ve"), 9, knee=0.5, power=1.0)
    v = torch.log1p(1 / torch.tensor(grid.sigma, dtype=torch.float64) / 0.5)
    assert torch.allclose(v.diff(), v.diff()[:1], rtol=1e-8)


def test_a_grid_between_points_lies_on_the_schedule():
    grid = make_grid("log-snr", make_schedule("cosine"), 4)
    inner = grid.between(0.25)
    clock, fine = grid.half_log_snr, inner.half_log_snr
    assert fine == pytest.approx([0.75 * a + 0.25 * b for a, b in pairwise(clock)], abs=1e-9)


def test_span_of_variances():
    low, high = log_snr_span(4.0, 0.01)
    assert math.exp(low) * 4.0 == pytest.approx(math.exp(-12))
    assert math.exp(-high) == pytest.approx(0.1 * 0.01)


def test_ddpm_betas_and_continuous_time_agree():
    """The linear schedule of DDPM, beta_i = beta(t_i) / T to first order in 1 / T, and the way back."""
    schedule = make_schedule("vp")
    table = betas(schedule, 1000)
    middle = time_of_index(torch.arange(1, 1001), 1000) - 0.5e-3
    assert torch.allclose(table, schedule.beta(middle) / 1000, rtol=0.011)  # the next term is beta / 2 = 0.01
    assert torch.allclose((1 - table).cumprod(0), alpha_bar(schedule, 1000)[1:], rtol=1e-10)
    assert torch.allclose(times_of_betas(schedule, table), time_of_index(torch.arange(1, 1001), 1000), atol=1e-9)
    assert index_of_time(torch.tensor([0.0, 0.5, 1.0]), 1000).tolist() == [1, 500, 1000]


def test_a_foreign_beta_table_finds_its_noise_levels():
    """DDPM's own table, 1e-4 to 0.02: at the times found the schedule has its alpha-bar."""
    table = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    kept = (1 - table).cumprod(0)
    cosine = make_schedule("cosine")
    assert torch.allclose(cosine.alpha(times_of_betas(cosine, table)).square(), kept, rtol=1e-8)


def test_unknown_names_and_no_steps_are_said():
    for call in (
        lambda: make_schedule("linear"),
        lambda: make_grid("quadratic", make_schedule("vp"), 3),
        lambda: make_grid("karras", make_schedule("vp"), 0),
        lambda: log_snr_span(1.0, 2.0),
    ):
        with pytest.raises(SamplerError, match=r"must be one of|at least one|expected"):
            call()

"""Errors of bearings and coupling against closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.scenes.accuracy import HIT_DEG, azimuth_error, coupling_gain_db, is_hit


@settings(max_examples=50)
@given(st.lists(st.floats(0, 359), min_size=1, max_size=3), st.integers(-2, 2), st.floats(-1, 1))
def test_circle_errors_know_no_seam(degrees, turns, shift):
    true = torch.tensor([degrees]).double().deg2rad()
    estimate = true + math.radians(shift) + 2 * math.pi * turns
    error = azimuth_error(true, estimate.flip(1), True).rad2deg()
    assert error.square().mean().sqrt() <= abs(shift) + 1e-6  # the best rotation is at least that good


def test_line_errors_are_of_sorted_angles_and_nan_stays():
    true = torch.tensor([[0.1, 0.5]])
    error = azimuth_error(true, torch.tensor([[0.7, 0.1]]), False)
    torch.testing.assert_close(error, torch.tensor([[0.0, 0.2]]))
    assert azimuth_error(true, torch.tensor([[0.7, math.nan]]), False).isnan().any()


def test_coupling_gain_in_closed_form():
    c = torch.eye(4, dtype=torch.complex128) + 0.1j * (torch.ones(4, 4) - torch.eye(4))
    half = torch.eye(4) + 0.05j * (torch.ones(4, 4) - torch.eye(4))
    # e = I + j b S, c = I + j a S with |S|^2 = 12 against |I|^2 = 4, I and S orthogonal:
    # 1 - |<c, e>|^2 / |c|^2 |e|^2 = 12 * 4 * (a - b)^2 / ((4 + 12 a^2)(4 + 12 b^2))
    expected = 10 * math.log10((0.1**2 / 4) / (0.05**2 / (4 + 12 * 0.05**2)))
    assert coupling_gain_db(c[None], half.to(c)[None] * 2j) == pytest.approx(expected)  # scale does not matter
    assert coupling_gain_db(c[None], torch.eye(4).to(c)[None]) == pytest.approx(0.0, abs=1e-9)
    assert coupling_gain_db(c[None], torch.full_like(c, math.nan)[None]) is None


def test_a_scene_is_hit_by_all_of_its_sources():
    near, far = math.radians(0.99 * HIT_DEG), math.radians(1.01 * HIT_DEG)
    error = torch.tensor([[near, -near], [near, far], [0.0, math.nan]])
    assert is_hit(error).tolist() == [True, False, False]

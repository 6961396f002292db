"""Wrapping of angles, of all three kinds of numbers."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from doamc.angles import wrap_deg, wrap_rad


@given(st.floats(-1e4, 1e4), st.sampled_from([-180.0, 0.0, -90.0, 30.0]))
def test_a_wrapped_angle_lies_in_the_turn_and_is_whole_turns_away(angle, low):
    found = wrap_deg(angle, low)
    assert low <= found <= low + 360.0  # the end by rounding alone
    turns = (found - angle) / 360.0
    assert abs(turns - round(turns)) < 1e-12


@pytest.mark.parametrize("low", [-math.pi, 0.0, -math.pi / 2])
def test_floats_arrays_and_tensors_agree_to_the_last_bit(low):
    angles = np.random.default_rng(1).uniform(-20, 20, 1000)
    by_array = wrap_rad(angles, low)
    assert [wrap_rad(float(a), low) for a in angles] == by_array.tolist()
    assert torch.equal(wrap_rad(torch.from_numpy(angles), low), torch.from_numpy(by_array))


def test_the_least_difference_of_two_directions():
    assert wrap_deg(350.0 - 10.0) == -20.0
    assert wrap_rad(math.radians(10.0 - 350.0)) == pytest.approx(math.radians(20.0))
    assert wrap_deg(180.0) == -180.0

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.arrays import steering, steering_derivative, uca, ula, ura

POSITIONS = {"ula": ula(5, 0.45), "uca": uca(5, 0.35), "ura": ura(2, 3, 0.5)}
angles = st.floats(-math.pi, math.pi)


def at(degrees: float) -> torch.Tensor:
    return torch.tensor([math.radians(degrees)], dtype=torch.float64)


def test_linear_array_has_phase_two_pi_d_m_sin_az():
    az = torch.tensor([-1.0, -0.2, 0.0, 0.7], dtype=torch.float64)
    expected = np.exp(2j * np.pi * 0.4 * np.arange(6)[:, None] * np.sin(az.numpy()))
    assert np.allclose(steering(ula(6, 0.4), az).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize(("azimuth_deg", "direction"), [(0, (1, 0)), (90, (0, 1)), (180, (-1, 0)), (270, (0, -1))])
def test_azimuth_runs_counter_clockwise_from_x(azimuth_deg, direction):
    """An element a quarter wavelength towards the source leads by 90 degrees of phase, one away from it lags."""
    for sign in (1.0, -1.0):
        position = torch.tensor([[0.25 * sign * direction[0], 0.25 * sign * direction[1], 0.0]], dtype=torch.float64)
        assert abs(complex(steering(position, at(azimuth_deg))[0, 0]) - 1j * sign) < 1e-14


def test_elevation_ninety_degrees_is_along_z():
    position = torch.tensor([[0.3, 0.4, 0.25]], dtype=torch.float64)
    assert abs(complex(steering(position, at(37.0), math.pi / 2)[0, 0]) - 1j) < 1e-14


@pytest.mark.parametrize("name", POSITIONS)
@settings(max_examples=40)
@given(azimuth=angles, elevation=st.floats(-1.5, 1.5))
def test_derivatives_agree_with_finite_differences(name, azimuth, elevation):
    positions, h = POSITIONS[name], 1e-6
    az, el = (torch.tensor([v], dtype=torch.float64) for v in (azimuth, elevation))
    by_azimuth, by_elevation = steering_derivative(positions, az, el)
    numeric_az = (steering(positions, az + h, el) - steering(positions, az - h, el)) / (2 * h)
    numeric_el = (steering(positions, az, el + h) - steering(positions, az, el - h)) / (2 * h)
    # the third derivative is below (2 pi 1.8)^3, so the error of a central difference is below 3e-10
    assert (by_azimuth - numeric_az).abs().max() < 1e-8
    assert (by_elevation - numeric_el).abs().max() < 1e-8


@pytest.mark.parametrize("name", POSITIONS)
@settings(max_examples=20)
@given(azimuth=angles, elevation=st.floats(-1.5, 1.5))
def test_steering_has_unit_modulus_and_a_full_turn_is_nothing(name, azimuth, elevation):
    az = torch.tensor([azimuth, azimuth + 2 * math.pi], dtype=torch.float64)
    a = steering(POSITIONS[name], az, elevation)
    assert (a.abs() - 1).abs().max() < 1e-14
    assert (a[:, 0] - a[:, 1]).abs().max() < 1e-13


def test_batches_and_elevations_broadcast():
    az = torch.linspace(-1, 1, 12, dtype=torch.float64).reshape(2, 3, 2)
    el = torch.linspace(0, 1, 2, dtype=torch.float64)
    a = steering(POSITIONS["ura"], az, el)
    assert a.shape == (2, 3, 6, 2)
    assert torch.allclose(a[1, 2, :, 1], steering(POSITIONS["ura"], az[1, 2, 1:], float(el[1]))[:, 0])
    assert all(d.shape == a.shape for d in steering_derivative(POSITIONS["ura"], az, el))

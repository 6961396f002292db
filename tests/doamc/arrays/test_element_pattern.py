"""Patterns of elements: closed forms, limits, and slopes by central differences."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays.element_pattern import ElementPattern

ALL = [
    ElementPattern("short-dipole"),
    ElementPattern("half-wave-dipole"),
    ElementPattern("patch", 1.5),
    ElementPattern(),
]


def rad(*degrees):
    return torch.tensor(degrees, dtype=torch.float64).deg2rad()


def test_dipoles_have_nulls_overhead_and_hear_the_horizon_alike_all_around():
    azimuth = rad(0.0, 100.0, -170.0)
    for pattern in ALL[:2]:
        assert pattern.gain(azimuth, rad(0.0, 0.0, 0.0)).tolist() == [1.0, 1.0, 1.0]
        assert (pattern.gain(azimuth, rad(90.0, -90.0, 90.0)) < 1e-9).all()
    assert ALL[0].gain(rad(12.0), rad(60.0)).item() == pytest.approx(0.5)
    # cos(pi/4) / cos 30, from sin 30 = 1/2; of the half-wave dipole, which looks a little more to the horizon
    assert ALL[1].gain(rad(12.0), rad(30.0)).item() == pytest.approx(math.cos(math.pi / 4) / math.cos(math.pi / 6))


def test_a_half_wave_dipole_has_the_directivity_of_the_books():
    """1.64, or 2.15 dBi; of a short one 1.5: four pi over the integral of the power over the sphere."""
    height = torch.linspace(-1, 1, 20_001, dtype=torch.float64)[1:-1]
    for pattern, directivity in zip(ALL[:2], (1.5, 1.641), strict=True):
        mean = pattern.gain(torch.zeros_like(height), height.asin()).square().mean().item()
        assert 1 / mean == pytest.approx(directivity, rel=2e-3)


def test_a_patch_looks_ahead():
    patch = ALL[2]
    assert patch.gain(rad(0.0, 60.0, 0.0, 120.0, 180.0), rad(0.0, 0.0, 60.0, 0.0, 0.0)).tolist() == pytest.approx(
        [1.0, 0.5**1.5, 0.5**1.5, 0.0, 0.0]
    )


@pytest.mark.parametrize("pattern", ALL, ids=lambda p: p.kind)
def test_slopes_are_those_of_differences(pattern):
    azimuth, elevation = rad(0.0, 40.0, -70.0, 20.0, 5.0), rad(0.0, 30.0, -50.0, 85.0, -89.9)
    by_azimuth, by_elevation = pattern.slopes(azimuth, elevation)
    h = 1e-6
    around = (pattern.gain(azimuth + h, elevation) - pattern.gain(azimuth - h, elevation)) / (2 * h)
    upwards = (pattern.gain(azimuth, elevation + h) - pattern.gain(azimuth, elevation - h)) / (2 * h)
    np.testing.assert_allclose(by_azimuth, around, atol=1e-8)
    np.testing.assert_allclose(by_elevation, upwards, atol=1e-8)
    assert all(torch.isfinite(s).all() for s in pattern.slopes(rad(0.0, 180.0), rad(90.0, 0.0)))


def test_powers_are_not_divided_by_nulls():
    assert ALL[0].power(rad(0.0), rad(90.0)).item() == pytest.approx(1e-4)
    assert ALL[0].power(rad(0.0, 70.0), None).tolist() == [1.0, 1.0]

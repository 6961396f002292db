"""Scenes of batches: starts by least squares, and the modes found from them."""

import math

import pytest
import torch

from doamc.selfcal.scene import (
    LEAST_POWER_DB,
    LEAST_SEPARATION_DEG,
    belief_coordinates,
    fit_scenes,
    known_family,
    separated,
    start_points,
)
from doamc.selfcal.start import start_family
from doamc.spec import load_spec

AZIMUTH = torch.tensor([[[-0.3], [0.4]]], dtype=torch.float64)  # (B, P, Q)


def exact(spec, coupling, power_db, noise_db):
    """Covariance (1, N, N) without an error of estimation."""
    known = known_family(coupling, start_family(spec))
    v = known.response(torch.zeros(1, 0, dtype=torch.float64), spec.positions, AZIMUTH[:, :, 0])[0]
    power = 10 ** (torch.tensor(power_db, dtype=torch.float64) / 10)
    return known, ((v * power) @ v.mH + 10 ** (noise_db / 10) * torch.eye(spec.n_elements))[None]


@pytest.fixture(scope="module")
def spec():
    return load_spec("ula8")


@pytest.fixture(scope="module")
def coupling(spec):
    return spec.family.matrix(spec.family.draw((1,), torch.Generator().manual_seed(1)))[0]


def test_a_known_family_has_one_member_and_no_parameters(spec, coupling):
    known = known_family(coupling, start_family(spec))
    assert known.n_parameters == 0
    assert torch.equal(known.matrix(torch.zeros(0, dtype=torch.float64)), coupling)


def test_starts_at_the_truth_have_its_powers_and_noise(spec, coupling):
    known, covariance = exact(spec, coupling, [-2.0, -5.0], -12.0)
    coordinates = belief_coordinates(spec, known, 2, True)
    amplitude, _, noise, azimuth, _ = coordinates.split(start_points(coordinates, AZIMUTH, covariance, None))
    decibel = math.log(10) / 20
    torch.testing.assert_close(amplitude[0, :, 0] / decibel, torch.tensor([-2.0, -5.0]).double(), atol=1e-6, rtol=0)
    assert float(noise) / (2 * decibel) == pytest.approx(-12.0, abs=1e-6)
    torch.testing.assert_close(azimuth, AZIMUTH)


def test_a_source_that_is_not_there_starts_with_a_little_power(spec, coupling):
    known, covariance = exact(spec, coupling, [0.0, -90.0], -12.0)
    coordinates = belief_coordinates(spec, known, 2, True)
    amplitude = coordinates.split(start_points(coordinates, AZIMUTH, covariance, None))[0]
    assert float(amplitude[0, 1, 0]) / (math.log(10) / 20) == pytest.approx(LEAST_POWER_DB)


def test_modes_come_best_first_and_the_best_is_the_truth(spec, coupling):
    """One start near the truth and one far off, from a covariance that is the model's own."""
    known, covariance = exact(spec, coupling, [-2.0, -5.0], -12.0)
    coordinates = belief_coordinates(spec, known, 2, True)
    starts = torch.cat([AZIMUTH - 0.9, AZIMUTH + 0.03], 2)
    x = start_points(coordinates, starts, covariance, None)
    count = torch.tensor([200.0], dtype=torch.float64)
    posterior, x, value = fit_scenes(coordinates, covariance, count, None, x, 20, 2)
    assert bool((value.diff(dim=1) <= 0).all()) and torch.equal(posterior(x), value)
    torch.testing.assert_close(coordinates.split(x)[3][:, :, :1], AZIMUTH, atol=2e-3, rtol=0)


def test_emitters_may_come_as_close_as_crossing_ones_do(spec, coupling):
    coordinates = belief_coordinates(spec, known_family(coupling, start_family(spec)), 2, True)
    assert coordinates.spec.min_separation_deg == LEAST_SEPARATION_DEG < spec.min_separation_deg
    pushed = separated(torch.tensor([[[0.1], [0.1001]]], dtype=torch.float64), coordinates)
    assert float(pushed.diff(dim=1).rad2deg()) == pytest.approx(LEAST_SEPARATION_DEG, rel=1e-3)

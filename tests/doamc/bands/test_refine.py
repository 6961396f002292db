"""Directions near known places: exact without noise, at the bound with it, and no answer where there is none."""

import math

import pytest
import torch

from doamc.arrays import steering
from doamc.bands.refine import REACH_RAD, Local, refine
from doamc.spec import load_spec

POSITIONS = load_spec("uca5").positions
H = 1e-3


def local(azimuth_deg):
    azimuth = torch.deg2rad(torch.tensor([azimuth_deg], dtype=torch.float64))
    low, middle, high = (steering(POSITIONS, azimuth + k * H) for k in (-1, 0, 1))
    return Local(azimuth, middle, (high - low) / (2 * H), (high - 2 * middle + low) / H**2)


def covariance(azimuth_deg, powers=(10.0,), noise=1.0):
    a = steering(POSITIONS, torch.deg2rad(torch.tensor([azimuth_deg], dtype=torch.float64)))[0]
    return (a * torch.tensor(powers, dtype=torch.float64)) @ a.mH + noise * torch.eye(5, dtype=torch.complex128)


@pytest.mark.parametrize("place, true", [([40.0], [42.0]), ([40.0, 150.0], [41.0, 148.5])])
def test_the_true_covariance_gives_the_true_directions(place, true):
    powers = (10.0, 5.0)[: len(true)]
    found = refine(covariance(true, powers)[None], torch.tensor([1000.0]), local(place))
    assert torch.rad2deg(found.azimuth)[0].tolist() == pytest.approx(true, abs=0.02)  # of the response's third order
    assert found.power[0].tolist() == pytest.approx(powers, rel=0.01)


def test_the_error_is_what_it_says_and_that_of_the_bound():
    """For one source of SNR s at each of N elements: var = (1 + 1 / (N s)) / (2 L s sum |d|^2), d across a."""
    length, snr, generator = 200, 2.0, torch.Generator().manual_seed(1)
    root = torch.linalg.cholesky(covariance([41.0], (snr,)))
    z = torch.randn(400, 5, length, dtype=torch.complex128, generator=generator)
    y = root @ z
    places = local([40.0])
    many = Local(*(getattr(places, k).expand(400, *getattr(places, k).shape[1:]) for k in Local.__dataclass_fields__))
    found = refine(y @ y.mH / length, torch.full((400,), float(length)), many)
    spread = 2 * math.pi**2 * 0.35**2 * 5  # of a circle of radius r: sum |d|^2 = N (2 pi r)^2 / 2, d across a already
    bound = math.sqrt((1 + 1 / (5 * snr)) / (2 * length * snr * spread))
    errors = found.azimuth[:, 0] - math.radians(41.0)
    assert float(errors.std()) == pytest.approx(bound, rel=0.12)  # 400 draws: 3.5 %, three times
    assert float(found.std.mean()) == pytest.approx(bound, rel=0.1)


def test_what_is_not_there_has_no_direction():
    far = refine(covariance([40.0 + math.degrees(2 * REACH_RAD)])[None], torch.tensor([100.0]), local([40.0]))
    assert bool(far.azimuth.isnan().all())

"""Intervals reach the end of a line where samples do, and nowhere else."""

import math

import pytest
import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.report.line_ends import reaching_ends
from doamc.posterior.report.summary import summarise
from doamc.spec import load_spec
from doamc.spec.wide import with_wide_prior

SPEC = with_wide_prior(load_spec("ula8"))


def summed(azimuth_deg):
    coordinates = make_coordinates(SPEC, 1, True, SPEC.noise_db)
    x = coordinates.low[:, None].expand(-1, azimuth_deg.shape[0]).clone()[None]
    coordinates.split(x)[3][0, 0] = azimuth_deg.deg2rad()
    s = summarise(x, coordinates)
    return s, reaching_ends(s, coordinates.split(x)[3], SPEC.sector_rad)


@pytest.mark.parametrize("sign", [1, -1])
def test_samples_next_to_an_end_bring_it_into_the_interval(sign):
    u = torch.linspace(0, 1, 2001, dtype=torch.float64)
    plain, s = summed(sign * (90 - 6 * u))
    assert float(plain.std) * 1.645 == pytest.approx(math.radians(2.7), rel=0.01)  # 90 % of 6 deg, about the middle
    assert float(s.std) * 1.645 == pytest.approx(math.radians(3), rel=0.01)
    assert float(s.interval[0, 0, (sign > 0 and 1) or 0].abs()) == math.pi / 2
    assert torch.equal(s.azimuth, plain.azimuth)


def test_samples_three_deviations_from_an_end_are_left():
    normal = torch.distributions.Normal(0.0, 1.0).icdf(torch.linspace(0.001, 0.999, 2001, dtype=torch.float64))
    plain, s = summed(84 + 2 * normal.clamp(-3, 2.99))
    assert torch.equal(s.std, plain.std) and torch.equal(s.interval, plain.interval)

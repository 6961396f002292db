"""Samples summed up: modes, intervals, and the north of a circle."""

import math

import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.report.source_order import align
from doamc.posterior.report.summary import summarise
from doamc.spec import load_spec


def test_a_second_place_of_the_directions_is_told_with_its_share():
    coordinates = make_coordinates(load_spec("ula8"), 2, False, (-60.0, 40.0))
    generator = torch.Generator().manual_seed(0)
    n = 1000
    azimuth = torch.tensor([[-0.3], [0.4]]) + 0.01 * torch.randn(2, 2, n, generator=generator, dtype=torch.float64)
    azimuth[0, 1, 720:] += 0.35  # 28 % of the first item's samples have the second source elsewhere
    one = torch.ones(2, 2, n, dtype=torch.float64)
    spread = 0.05 * torch.randn(2, 2, n, generator=generator, dtype=torch.float64)
    s = summarise(coordinates.join(-3 * one, 0.3 * one, one[:, :1], azimuth, spread), coordinates)
    expected = torch.tensor([[-0.3, 0.4], [-0.3, 0.75]], dtype=torch.float64)
    assert torch.allclose(s.mode_azimuth[0, :2], expected, atol=0.003)
    assert torch.allclose(s.mode_share[0, :2], torch.tensor([0.72, 0.28], dtype=torch.float64), atol=1e-9)
    assert s.mode_share[1].tolist() == [1.0, 0.0, 0.0] and s.mode_azimuth[1, 1:].isnan().all()
    assert torch.equal(s.azimuth, s.mode_azimuth[:, 0]) and (s.mode_std[0, :2] < 0.02).all() and (s.std[1] < 0.02).all()
    assert s.std[0, 0] < 0.02 and 0.32 < 1.645 * s.std[0, 1] < 0.38  # the interval must reach the other place
    # C = I + sum c_k B_k, c_k = 0.3 exp(j 0.05 z): spread 0.3 * 0.05 to first order on both bands, none elsewhere
    assert torch.allclose(s.coupling_std[0].diagonal(1), torch.full((7,), 0.015, dtype=torch.float64), rtol=0.1)
    assert s.coupling_std[0].diagonal().abs().max() == 0 and s.coupling_std[0].diagonal(3).abs().max() == 0


def test_summary_on_a_circle_knows_where_north_is():
    spec = load_spec("uca5")
    coordinates = make_coordinates(spec, 2, False, (-60.0, 40.0))
    generator = torch.Generator().manual_seed(0)
    n = 4000
    azimuth = torch.tensor([[0.0], [2.0]]) + 0.05 * torch.randn(1, 2, n, generator=generator, dtype=torch.float64)
    azimuth = torch.where(torch.rand(1, 1, n, generator=generator) < 0.5, azimuth.flip(1), azimuth) % (2 * math.pi)
    one = torch.ones(1, 2, n, dtype=torch.float64)
    x = coordinates.join(-3 * one, 0.3 * one, one[:, :1], azimuth, one)
    assert torch.allclose(
        align(azimuth, coordinates)[0].std(2), torch.full((1, 2), 0.05, dtype=torch.float64), rtol=0.1
    )
    s = summarise(x, coordinates)
    away = torch.stack([s.azimuth[0] - v for v in (torch.tensor([0.0, 2.0]), torch.tensor([2.0, 0.0]))])
    away = torch.remainder(away + math.pi, 2 * math.pi) - math.pi
    assert away.abs().amax(1).min() < 0.01
    assert torch.allclose(s.std, torch.full((1, 2), 0.05, dtype=torch.float64), rtol=0.1)
    width = s.interval[..., 1] - s.interval[..., 0]
    assert torch.allclose(width, torch.full_like(width, 2 * 1.645 * 0.05), rtol=0.1)

"""One source per row throughout."""

import math

import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.report.source_order import align, unwrapped
from doamc.spec import load_spec


def test_sources_around_a_circle_keep_their_rows():
    coordinates = make_coordinates(load_spec("uca5"), 3, False, (-60.0, 40.0))
    z = 0.05 * torch.randn(1, 3, 500, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    truth = torch.tensor([[0.0], [2.0], [4.0]], dtype=torch.float64)
    azimuth = torch.remainder(truth + z, 2 * math.pi)
    shuffled = azimuth.gather(1, torch.rand(1, 3, 500, generator=torch.Generator().manual_seed(1)).argsort(1))
    found, order = align(shuffled, coordinates)
    assert found.std(2).max() < 0.06
    around = torch.remainder(shuffled.gather(1, order) - found + math.pi, 2 * math.pi) - math.pi
    assert around.abs().max() < 1e-9


def test_angles_are_unwrapped_around_their_circular_mean():
    z = 0.1 * torch.randn(1, 1, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = unwrapped(torch.remainder(math.pi + z + math.pi, 2 * math.pi) - math.pi)
    assert abs(float(found.std()) - float(z.std())) < 1e-9

"""Lines, planes and what is neither, however large, wherever they stand and however they are turned."""

import pytest
import torch

from doamc.arrays import uca, ula, ura
from doamc.arrays.extent import STRAIGHT, extent_of, is_flat

SPACE = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=torch.float64)


def turned(positions, seed=0):
    q, _ = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)))
    return positions @ q


@pytest.mark.parametrize(
    ("positions", "dimensions"),
    [
        (torch.zeros(3, 3, dtype=torch.float64), 0),
        (ula(2), 1),
        (ula(8), 1),
        (uca(5, 0.35), 2),
        (ura(2, 3), 2),
        (SPACE, 3),
    ],
)
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e4])
def test_dimensions_are_those_of_the_figure(positions, dimensions, size):
    for moved in (positions, positions + 7, turned(positions)):
        assert extent_of(size * moved).dimensions == dimensions


def test_what_stands_beside_by_less_than_a_thousandth_of_the_size_does_not_count():
    for factor, dimensions in ((0.5, 1), (2.0, 2)):
        line = ula(8)
        line[3, 0] = factor * STRAIGHT * line.sub(line.mean(0)).norm()
        assert extent_of(line).dimensions == dimensions


def test_axes_beyond_the_dimensions_are_across_the_array():
    plane = turned(uca(5, 0.35))
    across = extent_of(plane).axes[2]
    torch.testing.assert_close((plane - plane.mean(0)) @ across, torch.zeros(5, dtype=torch.float64), rtol=0, atol=1e-9)
    assert float(across.norm()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("positions", "flat"), [(ula(4), True), (uca(5, 0.35), True), (ura(2, 2), False), (SPACE, False)]
)
def test_flat_is_what_lies_across_the_z_axis(positions, flat):
    assert is_flat(positions) is flat
    assert is_flat(positions + torch.tensor([0.0, 0.0, 3.0])) is flat

import math

import pytest
import torch

from doamc.arrays import steering, uca
from doamc.coupling.directional import DirectionalCoupling
from doamc.coupling.families import make_family

FAMILY = make_family("reciprocal", 5, [[0.1, 0.3], [0.05, 0.2]])
POSITIONS = uca(5, 0.35)
AZIMUTH = torch.linspace(-3, 3, 14, dtype=torch.float64).reshape(7, 2)


def series(orders: int) -> torch.Tensor:
    return FAMILY.draw((1 + 2 * orders,), torch.Generator().manual_seed(1))


def test_series_of_the_mean_alone_is_plain_coupling():
    theta = series(0)
    directional = DirectionalCoupling(FAMILY, theta)
    c = FAMILY.matrix(theta[0])
    assert torch.allclose(directional.matrix(AZIMUTH), c.expand(7, 2, 5, 5))
    assert torch.allclose(directional.response(POSITIONS, AZIMUTH), c @ steering(POSITIONS, AZIMUTH))


def test_each_column_meets_the_coupling_of_its_own_direction():
    directional = DirectionalCoupling(FAMILY, series(2))
    response = directional.response(POSITIONS, AZIMUTH)
    a = steering(POSITIONS, AZIMUTH)
    for b in range(7):
        for p in range(2):
            column = directional.matrix(AZIMUTH[b, p]) @ a[b, :, p]
            assert torch.allclose(response[b, :, p], column)


@pytest.mark.parametrize("orders", [1, 3])
def test_coupling_is_periodic_reciprocal_and_has_mean_diagonal_one(orders):
    directional = DirectionalCoupling(FAMILY, series(orders))
    c = directional.matrix(AZIMUTH)
    assert torch.allclose(c, directional.matrix(AZIMUTH + 2 * math.pi))
    assert torch.equal(c, c.mT)
    assert (c.diagonal(dim1=-2, dim2=-1).mean(-1) - 1).abs().max() < 1e-14


def test_first_order_has_the_written_cosine_and_sine():
    theta = series(1)
    c = DirectionalCoupling(FAMILY, theta).matrix(torch.tensor([0.7], dtype=torch.float64))
    assert torch.allclose(c[0], FAMILY.matrix(theta[0] + math.cos(0.7) * theta[1] + math.sin(0.7) * theta[2]))
    half_turn = DirectionalCoupling(FAMILY, theta).matrix(torch.tensor([0.7 + math.pi], dtype=torch.float64))
    assert torch.allclose((c + half_turn)[0] / 2, FAMILY.matrix(theta[0]))

import math

import pytest
import torch

from doamc.arrays import uca, ula, ura
from doamc.errors import SpecificationError


def test_linear_array_lies_along_y_with_element_zero_at_the_origin():
    expected = torch.tensor([[0, 0, 0], [0, 0.4, 0], [0, 0.8, 0]], dtype=torch.float64)
    assert torch.allclose(ula(3, 0.4), expected, atol=1e-15)


def test_circular_array_has_element_m_at_angle_two_pi_m_over_n():
    positions = uca(5, 0.35)
    angle = torch.atan2(positions[:, 1], positions[:, 0]).remainder(2 * math.pi)
    assert torch.allclose(angle, 2 * math.pi * torch.arange(5).double() / 5, atol=1e-12)
    assert torch.allclose(positions.norm(dim=1), torch.full((5,), 0.35, dtype=torch.float64))
    assert (positions[:, 2] == 0).all()


def test_rectangular_array_numbers_columns_along_y_and_rows_along_z():
    positions = ura(2, 3, 0.5)
    assert positions.shape == (6, 3)
    for row in range(2):
        for column in range(3):
            assert positions[row * 3 + column].tolist() == [0.0, 0.5 * column, 0.5 * row]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: ula(1), "at least 2 elements, found 1"),
        (lambda: ura(1, 1), "at least 2 elements, found 1"),
        (lambda: ula(4, 0.0), "spacing must be a positive number of wavelengths, found 0.0"),
        (lambda: ura(2, 2, math.nan), "spacing must be a positive number"),
        (lambda: uca(5, -0.3), "radius must be a positive number of wavelengths, found -0.3"),
        (lambda: uca(5, math.inf), "radius must be a positive number"),
    ],
)
def test_impossible_arrays_are_refused(build, message):
    with pytest.raises(SpecificationError, match=message):
        build()

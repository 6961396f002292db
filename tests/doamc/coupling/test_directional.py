"""The prior of coupling as a series over direction."""

import pytest
import torch

from doamc.coupling.directional import directional_family
from doamc.coupling.families import make_family
from doamc.errors import SpecificationError
from tests.doamc.helpers.directional import directional_spec


def test_the_prior_of_higher_orders_decays_as_written():
    """r.m.s. of 20000 complex draws is known to half a per cent."""
    spec = directional_spec("ula8", 3, spread_db=-6.0, decay=0.3)
    family = spec.family
    rows = family.rows(family.draw((20000,), torch.Generator().manual_seed(1)))
    size = (2 * rows.square().mean(0)).sqrt()[:, :2]  # real parts have half of the power
    mean = family.base.mean_square.sqrt()
    for place, degree in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)):
        expected = mean * 10 ** (-6 / 20) * 0.3 ** (degree - 1)
        assert size[place].numpy() == pytest.approx(expected.numpy(), rel=0.03)


def test_a_series_too_large_for_memory_is_refused():
    base = make_family("reciprocal", 30, [[0.1, 0.3]] * 29)
    with pytest.raises(SpecificationError, match="real parameters of coupling"):
        directional_family(base, 4, -10.0, 0.5, (-1.0, 1.0))

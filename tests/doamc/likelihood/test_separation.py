"""Azimuths kept apart."""

import pytest
import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.separation import separate
from doamc.spec import load_spec


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_separated_azimuths_keep_the_least_separation(array):
    spec = load_spec(array)
    p = 2
    coordinates = make_coordinates(spec, p, True, (-60.0, 40.0))
    low, high = spec.sector_rad
    u = torch.rand(5000, p, generator=torch.Generator().manual_seed(0), dtype=torch.float64).sort(1)[0]
    assert coordinates.apart(separate(low + (high - low) * u, coordinates)[..., None]).all()

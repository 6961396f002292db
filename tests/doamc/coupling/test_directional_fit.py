"""Coupling as a series over direction where directions are known."""

import pytest
import torch

from doamc.arrays import steering
from doamc.coupling.directional_fit import coupling_of_directions
from tests.doamc.helpers.directional import ARRAYS, directional_spec, directions


@pytest.mark.parametrize("name", ARRAYS)
def test_coupling_is_found_at_known_directions(name):
    """From the exact noise subspace, but for what the prior pulls: a per cent of the power of the coupling at most."""
    spec = directional_spec(name, 1)
    theta = spec.family.draw((6,), torch.Generator().manual_seed(3))
    azimuth, elevation = directions(spec, (6, 2))
    v = spec.family.response(theta, spec.positions, azimuth, elevation)
    q = torch.linalg.qr(v)[0]
    projector = torch.eye(spec.n_elements, dtype=v.dtype) - q @ q.mH
    found = coupling_of_directions(spec.family, spec.positions, projector, azimuth, elevation)
    error = spec.family.response(found, spec.positions, azimuth, elevation) - v
    scale = (v - steering(spec.positions, azimuth, elevation)).abs().square().sum()
    assert error.abs().square().sum() < 0.01 * scale

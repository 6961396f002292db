"""Coupling as a series over direction: the matrix of every direction, and what the series is linear in."""

import math

import pytest
import torch

from doamc.arrays import steering
from doamc.coupling.angular import angular_functions, sphere_functions
from doamc.coupling.directional import directional_family
from doamc.coupling.families import make_family
from tests.doamc.helpers.directional import ARRAYS, directional_spec, directions


@pytest.mark.parametrize("name", ARRAYS)
def test_each_column_meets_the_coupling_of_its_own_direction(name):
    spec = directional_spec(name, 2)
    theta = spec.family.draw((7,), torch.Generator().manual_seed(1))
    azimuth, elevation = directions(spec)
    found = spec.family.response(theta, spec.positions, azimuth, elevation)
    c = spec.family.matrices(theta, azimuth, elevation)
    a = steering(spec.positions, azimuth, elevation).to(c.dtype)
    for p in range(2):
        assert torch.allclose(found[:, :, p], (c[:, p] @ a[:, :, p, None])[..., 0], atol=1e-14)
    spread = (c[:, 0] - c[:, 1]).abs().amax()
    assert spread > 0.01  # it does depend on direction


@pytest.mark.parametrize("name", ARRAYS)
def test_the_response_is_a_matrix_times_extended_steering_vectors(name):
    spec = directional_spec(name, 2)
    theta = spec.family.draw((), torch.Generator().manual_seed(1))
    azimuth, elevation = (v[0] for v in directions(spec))
    j = spec.family.n_blocks
    raw = sphere_functions(azimuth, elevation.sin(), j) if spec.elevated else angular_functions(azimuth, j)
    a = steering(spec.positions, azimuth, elevation).to(torch.complex128)
    extended = torch.cat([f * a for f in raw])
    found = spec.family.response_matrix(theta) @ extended
    assert torch.allclose(found, spec.family.response(theta, spec.positions, azimuth, elevation), atol=1e-14)


@pytest.mark.parametrize("name", ARRAYS)
def test_the_matrix_reported_is_the_mean_over_the_sector(name):
    spec = directional_spec(name, 2)
    theta = spec.family.draw((), torch.Generator().manual_seed(1))
    (left, right), (low, high) = spec.sector_rad, spec.elevation_rad
    steps = (torch.arange(400, dtype=torch.float64) + 0.5) / 400
    azimuth, height = left + (right - left) * steps, math.sin(low) + (math.sin(high) - math.sin(low)) * steps
    if not spec.elevated:
        mean = spec.family.matrices(theta, azimuth).mean(0)
    else:
        a, h = torch.meshgrid(azimuth, height, indexing="ij")
        mean = spec.family.matrices(theta, a.flatten(), h.flatten().asin()).mean(0)
    assert (spec.family.matrix(theta) - mean).abs().max() < 1e-5  # the midpoint rule with 400 steps


def test_first_order_has_the_written_cosine_and_sine():
    spec = directional_spec("uca5", 1)
    family, turn = spec.family, torch.tensor([0.7], dtype=torch.float64)
    theta = family.draw((), torch.Generator().manual_seed(1))
    rows = family.rows(theta)
    c = family.matrices(theta, turn)[0]
    assert torch.allclose(c, family.base.matrix(rows[0] + math.cos(0.7) * rows[1] + math.sin(0.7) * rows[2]))
    half_turn = family.matrices(theta, turn + math.pi)[0]
    assert torch.allclose((c + half_turn) / 2, family.base.matrix(rows[0]))
    assert torch.allclose(c, family.matrices(theta, turn + 2 * math.pi)[0])


def test_a_hermitian_family_is_hermitian_and_a_reciprocal_one_symmetric_in_every_direction():
    azimuth = torch.linspace(-1, 1, 5, dtype=torch.float64)
    reciprocal = make_family("reciprocal", 5, [[0.1, 0.3]])
    for base, turned in ((directional_spec("seed16", 2).family.base, lambda c: c.mH), (reciprocal, lambda c: c.mT)):
        family = directional_family(base, 2, -6.0, 0.5, (-1.0, 1.0))
        c = family.matrices(family.draw((3,), torch.Generator().manual_seed(1))[:, None], azimuth[:, None])
        assert torch.allclose(c, turned(c), atol=1e-15)
        assert (c.diagonal(dim1=-2, dim2=-1).mean(-1) - 1).abs().max() < 1e-14

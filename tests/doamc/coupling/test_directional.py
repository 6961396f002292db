"""Coupling as a series over direction: functions, matrices of every direction, prior, and fits at known directions."""

import math

import pytest
import torch

from doamc.arrays import steering
from doamc.coupling.angular import angular_functions, sphere_functions, sphere_slopes
from doamc.coupling.directional import directional_family
from doamc.coupling.directional_fit import coupling_of_directions
from doamc.coupling.families import make_family
from doamc.errors import SpecificationError
from tests.doamc.helpers.directional import directional_spec

ARRAYS = ["ula8", "uca5", "seed16", "panel16", "dome8"]


def directions(spec, shape=(7, 2)):
    """Azimuths and elevations inside the sector."""
    generator = torch.Generator().manual_seed(4)
    u = torch.rand(2, *shape, dtype=torch.float64, generator=generator)
    (left, right), (low, high) = spec.sector_rad, spec.elevation_rad
    return left + (right - left) * u[0], low + (high - low) * u[1]


def test_functions_on_the_sphere_are_those_of_the_horizon_at_the_horizon():
    azimuth = torch.linspace(-3, 3, 9, dtype=torch.float64)
    found = sphere_functions(azimuth, torch.zeros_like(azimuth), 9)
    assert torch.allclose(found[:5], angular_functions(azimuth, 5), atol=1e-15)
    assert torch.equal(found[5:], torch.zeros_like(found[5:]))


def test_functions_on_the_sphere_are_polynomials_of_the_unit_vector():
    """As many as there are spherical harmonics of degree 2, and independent; no seam at the zenith."""
    azimuth, height = torch.rand(2, 60, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    azimuth, height = 6 * azimuth, 2 * height - 1
    level = (1 - height.square()).sqrt()
    x, y, z = level * azimuth.cos(), level * azimuth.sin(), height
    f = sphere_functions(azimuth, height, 9)
    monomials = torch.stack([x**0, x, y, z, x * y, x * z, y * z, x * x, y * y])
    assert torch.linalg.matrix_rank(f) == 9
    found = torch.linalg.lstsq(monomials.T, f.T).solution
    assert (monomials.T @ found - f.T).abs().max() < 1e-12


def test_slopes_on_the_sphere_are_those_of_autograd():
    azimuth, height = torch.rand(2, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    slopes = sphere_slopes(azimuth, height, 16)
    exact = torch.autograd.functional.jacobian(lambda a, h: sphere_functions(a, h, 16), (azimuth, height))
    for slope, whole in zip(slopes, exact, strict=True):
        assert torch.allclose(slope, whole.diagonal(dim1=1, dim2=2), atol=1e-12)


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


def test_a_series_too_large_for_memory_is_refused():
    base = make_family("reciprocal", 30, [[0.1, 0.3]] * 29)
    with pytest.raises(SpecificationError, match="real parameters of coupling"):
        directional_family(base, 4, -10.0, 0.5, (-1.0, 1.0))

"""Grids on the sphere, and spectra searched on them."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays import direction, steering
from doamc.coupling.families import make_family
from doamc.errors import EstimatorError
from doamc.estimators.sphere import SphereGrid, ascending, beam_step
from doamc.estimators.sphere_quadratic import SphereQuadratic
from doamc.estimators.sphere_rare import SphereRare, start_spectrum
from doamc.scenes import draw_scene
from doamc.scenes.accuracy import direction_error
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec

ARRAYS = ["dome8", "panel16"]


def inner_scenes(array: str, count: int, seed: int = 1):
    """Scenes of two sources at least a grid step away from the horizon, where a circle hardly tells elevation."""
    scene = draw_scene(load_spec(array), 4 * count, 2, 20.0, torch.Generator().manual_seed(seed))
    return scene.select((scene.elevation.abs().amin(1) > math.radians(15)).nonzero()[:count, 0])


@pytest.mark.parametrize("array", ARRAYS)
def test_the_grid_covers_the_sector_as_the_beamwidth_asks(array):
    """No direction of the sector is farther than three quarters of a step from the grid, which has few points."""
    spec = load_spec(array)
    grid = SphereGrid(spec)
    scene = draw_scene(spec, 400, 1, 0.0, torch.Generator().manual_seed(1))
    nearest = (direction(scene.azimuth, scene.elevation)[:, 0] @ grid.unit.T).amax(1).acos()
    assert float(nearest.max()) < 0.75 * grid.step and grid.step == beam_step(spec)
    area = (math.radians(360 if array == "dome8" else 120)) * np.ptp(np.sin(spec.elevation_rad))
    assert len(grid) == pytest.approx(area / grid.step**2, rel=0.3)


def test_neighbours_are_mutual_and_near():
    grid = SphereGrid(load_spec("dome8"))
    rows = torch.arange(len(grid))[:, None].expand_as(grid.neighbours)
    pairs = set(zip(rows.flatten().tolist(), grid.neighbours.flatten().tolist(), strict=True))
    assert pairs == {(b, a) for a, b in pairs}
    assert 5 < grid.neighbours.shape[1] < 20  # rings and columns, also around the turn of the azimuth
    assert {len({*row}) for row in grid.neighbours.tolist()} >= {9}


def test_lowest_takes_one_point_of_each_dip_and_fills_up():
    grid = SphereGrid(load_spec("panel16"))
    dips = [100, 500]
    value = torch.stack([(grid.unit - grid.unit[i]).norm(dim=1) for i in dips]).amin(0)
    value[500] = -0.1
    assert sorted(grid.lowest(value[None], 2)[0].tolist()) == dips
    assert grid.lowest(value[None], 3)[0, :2].tolist() == [500, 100]
    assert len(set(grid.lowest(value[None], 6)[0].tolist())) == 6


@pytest.mark.parametrize("array", ARRAYS)
def test_refinement_finds_a_minimum_between_points(array):
    """Of a smooth bowl around any direction, to a millionth of a radian; at the border it stops there."""
    grid, scene = SphereGrid(load_spec(array)), inner_scenes(array, 6)
    aim = direction(scene.azimuth, scene.elevation)

    def bowl(unit):
        return (unit - aim[:, :, None]).square().sum(-1) + 0.3 * (unit - aim[:, :, None]).sum(-1) ** 2

    places = (aim @ grid.unit.T).argmax(2)
    found = grid.refined(bowl, places)
    assert direction_error((scene.azimuth, scene.elevation), found).max() < 1e-6
    outside = grid.inside(torch.tensor([[0.0, 0.0, -1.0], [0.0, -0.9, 0.1]], dtype=torch.float64))
    low, high = load_spec(array).elevation_rad
    assert ((outside[1] >= low) & (outside[1] <= high)).all()


@pytest.mark.parametrize("array", ARRAYS)
def test_null_spectra_vanish_where_the_sources_are(array):
    """Of an exact signal subspace: MUSIC without coupling, rank reduction with it."""
    scene = inner_scenes(array, 8, seed=3)
    true = scene.azimuth, scene.elevation
    free = torch.linalg.qr(steering(scene.spec.positions, *true))[0]
    form, n = SphereQuadratic(scene.spec), scene.spec.n_elements
    rich = scene.spec.with_family(make_family("reciprocal", n, [[0.1, 0.2]]))  # too rich for rank reduction
    for found in (form.minima(-(free @ free.mH), 2), start_spectrum(rich).minima(free, 2)):
        assert direction_error(true, found).max() < 1e-4
    signal = torch.linalg.qr(scene.response)[0]
    found = SphereRare(scene.spec).minima(signal, 2)
    hit = direction_error(true, found).amax(1) < 1e-3
    assert hit.double().mean() > 0.7  # other directions can be explained by some coupling, too


def test_values_are_those_of_the_form_and_of_the_eigenvalue():
    scene = draw_scene(load_spec("panel16"), 3, 3, 10.0, torch.Generator().manual_seed(5))
    form, rare = SphereQuadratic(scene.spec), SphereRare(scene.spec)
    a = steering(scene.spec.positions, form.grid.azimuth, form.grid.elevation)
    expected = torch.einsum("ng,bnm,mg->bg", a.conj(), scene.covariance, a).real
    assert torch.allclose(form.values(scene.covariance), expected)
    signal = torch.linalg.qr(scene.response)[0]
    t = torch.einsum("kij,j->ik", scene.spec.family.linear_basis, a[:, 7])
    q = torch.linalg.qr(t)[0]
    z = q.mH @ signal[0]
    assert float(rare.values(signal)[0, 7]) == pytest.approx(1 - float(torch.linalg.eigvalsh(z @ z.mH)[-1]), abs=1e-4)


def test_ascending_takes_others_along():
    azimuth, other = ascending(torch.tensor([[2.0, 1.0, 3.0]]), torch.tensor([[20.0, 10.0, 30.0]]))
    assert azimuth.tolist() == [[1.0, 2.0, 3.0]] and other.tolist() == [[10.0, 20.0, 30.0]]


def test_grids_that_memory_does_not_hold_are_refused():
    far = edited_spec("panel16", geometry={"spacing_wavelengths": 100.0})
    for made in (SphereGrid, start_spectrum, SphereQuadratic):
        with pytest.raises(EstimatorError, match="take a smaller sector"):
            made(far)

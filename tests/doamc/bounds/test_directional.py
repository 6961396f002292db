"""The bound with coupling that depends on direction, against derivatives of R by central differences."""

import math

import numpy as np
import pytest
import torch

from doamc.bounds import cramer_rao, crb
from doamc.scenes import Scene, draw_scene
from doamc.scenes.covariance import CovarianceModel
from tests.doamc.helpers.directional import directional_spec
from tests.doamc.helpers.scenes import edited_spec

CASES = [("ula8", 1, 2), ("uca5", 2, 2), ("seed16", 1, 3), ("panel16", 1, 2), ("dome8", 2, 2)]


def slopes_of(scene: Scene, model: CovarianceModel, x: np.ndarray, step: float = 1e-5) -> list[np.ndarray]:
    """dR/dx_i of one scene by central differences of what scenes say of R, not the model."""
    p, first = model.n_sources, model.first_power

    def covariance(x: np.ndarray) -> np.ndarray:
        t = torch.from_numpy(x)[None]
        height = t[:, p:first].asin() if scene.elevation is not None else None
        power, theta = t[:, first : first + p].exp(), t[:, first + p : -1]
        return Scene(scene.spec, t[:, :p], power, theta, t[:, -1].exp(), height).covariance[0].numpy()

    return [(covariance(x + e) - covariance(x - e)) / (2 * step) for e in step * np.eye(len(x))]


@pytest.mark.parametrize(("name", "order", "n_sources"), CASES)
def test_agrees_with_numerical_derivatives(name, order, n_sources):
    spec = directional_spec(name, order)
    scene = draw_scene(spec, 1, n_sources, 10.0, torch.Generator().manual_seed(3))
    model = CovarianceModel(spec, n_sources)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation)
    r, exact = model.derivatives(x)
    assert torch.allclose(r, scene.covariance, atol=1e-12) and torch.allclose(r, model.covariance(x), atol=1e-12)
    numerical = slopes_of(scene, model, x[0].numpy())
    for slope, own in zip(numerical, exact[0].numpy(), strict=True):
        assert np.abs(slope - own).max() < 1e-6 * max(1.0, np.abs(own).max())
    inverse = np.linalg.inv(scene.covariance[0].numpy())
    fisher = 50 * np.array([[np.trace(inverse @ a @ inverse @ b).real for a in numerical] for b in numerical])
    place = model.first_power + n_sources + np.arange(spec.family.n_normal)
    fisher[place, place] += 1.0
    bound = np.sqrt(np.diag(np.linalg.inv(fisher)))
    found = cramer_rao(scene, 50, hybrid=True)
    assert found.azimuth[0].numpy() == pytest.approx(bound[:n_sources], rel=1e-6)
    if scene.elevation is not None:
        height = bound[n_sources : 2 * n_sources] / scene.elevation.cos()[0].numpy()
        assert found.elevation[0].numpy() == pytest.approx(height, rel=1e-6)


@pytest.mark.parametrize(("name", "order", "n_sources"), CASES[:2])
def test_the_pseudo_inverse_is_the_bound_of_a_matrix_for_every_source(name, order, n_sources):
    """An order that gives two sources any two members of the family is as good as a family for each of them."""
    spec = directional_spec(name, order)
    scene = draw_scene(spec, 4, n_sources, 10.0, torch.Generator().manual_seed(3))
    model = CovarianceModel(spec, n_sources)
    x = model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power)
    r, dr = model.derivatives(x)
    a = scene.spec.positions @ torch.stack([scene.azimuth.cos(), scene.azimuth.sin(), 0 * scene.azimuth], 1)
    a = torch.polar(torch.ones_like(a), 2 * math.pi * a)
    v = scene.response
    own = [dr[:, : 2 * n_sources]]
    for p in range(n_sources):  # derivatives by the coefficients of each source's own matrix
        moved = torch.einsum("kij,bj->bki", spec.family.base.basis, a[:, :, p])
        half = scene.power[:, p, None, None, None] * moved[..., None] * v[:, None, None, :, p].conj()
        own.append(half + half.mH)
    full = torch.cat([*own, dr[:, -1:]], 1)
    m = torch.linalg.inv(r)[:, None] @ full
    fisher = 50 * (m.flatten(2) @ m.mT.flatten(2).mT).real
    expected = torch.linalg.inv(fisher).diagonal(dim1=1, dim2=2).sqrt()[:, :n_sources]
    assert crb(scene, 50).numpy() == pytest.approx(expected.numpy(), rel=1e-5)


def test_what_a_scene_says_nothing_of_has_an_infinite_bound():
    """One source shows C of its own direction: a sum of the series, and no member of it; its azimuth all the same."""
    scene = draw_scene(directional_spec("ula8", 1), 3, 1, 10.0, torch.Generator().manual_seed(3))
    bound = cramer_rao(scene, 50)
    assert torch.isfinite(bound.azimuth).all() and torch.isinf(bound.theta).any(1).all()
    hybrid = cramer_rao(scene, 50, hybrid=True)
    assert torch.isfinite(hybrid.theta).all() and (hybrid.azimuth <= bound.azimuth * (1 + 1e-9)).all()


def test_order_zero_is_no_table_to_the_last_bit():
    with_table, without = edited_spec("uca5", coupling={"directional": {"order": 0}}), edited_spec("uca5")
    scenes = [draw_scene(s, 5, 2, 10.0, torch.Generator().manual_seed(3)) for s in (with_table, without)]
    assert torch.equal(scenes[0].response, scenes[1].response)
    assert torch.equal(crb(scenes[0], 50), crb(scenes[1], 50)) and with_table.digest == without.digest

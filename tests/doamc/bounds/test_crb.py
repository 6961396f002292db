"""The bound against independent derivations: numerical Fisher information, the textbook formula, and estimators."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import crb_of_scene

from doamc.bounds import cramer_rao, crb
from doamc.estimators import make_estimator
from doamc.scenes import Scene, draw_scene
from doamc.scenes.covariance import CovarianceModel
from doamc.scenes.gaussian_likelihood import fisher_information
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import angle_error, edited_spec, observed

RECIPROCAL = {"family": "reciprocal", "magnitude": [[0.1, 0.3]], "phase_deg": 180.0, "diagonal": 0.1}


def numerical_bound(scene: Scene, n_snapshots: int, step: float = 1e-5) -> np.ndarray:
    """Bounds on azimuth (P,) of one scene: Slepian-Bangs with every derivative of R by central differences."""
    parts = [scene.azimuth[0], scene.power[0].log(), scene.theta[0], scene.noise_power[:1].log()]
    x = torch.cat(parts).numpy()
    p = len(scene.azimuth[0])

    def covariance(x: np.ndarray) -> np.ndarray:
        t = torch.from_numpy(x)[None]
        moved = Scene(scene.spec, t[:, :p], t[:, p : 2 * p].exp(), t[:, 2 * p : -1], t[:, -1].exp())
        return moved.covariance[0].numpy()

    inverse = np.linalg.inv(covariance(x))
    slopes = [inverse @ (covariance(x + e) - covariance(x - e)) / (2 * step) for e in step * np.eye(len(x))]
    fisher = np.array([[np.trace(a @ b).real for a in slopes] for b in slopes])
    return np.sqrt(np.diag(np.linalg.inv(n_snapshots * fisher)))[:p]


@pytest.mark.parametrize(
    ("spec", "n_sources"),
    [
        (load_spec("ula8"), 2),
        (load_spec("uca5"), 2),
        (load_spec("seed16"), 3),
        (edited_spec("ula8", coupling=RECIPROCAL), 4),
    ],
    ids=["symmetric", "circulant", "hermitian", "reciprocal"],
)
def test_agrees_with_numerical_derivatives_for_every_family(spec, n_sources):
    scene = draw_scene(spec, 3, n_sources, 10.0, torch.Generator().manual_seed(3))
    for i in range(3):
        one = Scene(spec, *(v[i : i + 1] for v in (scene.azimuth, scene.power, scene.theta, scene.noise_power)))
        assert crb(one, 50)[0].numpy() == pytest.approx(numerical_bound(one, 50), rel=1e-6)


def test_known_coupling_gives_the_textbook_bound():
    """With C = I and known, powers and noise unknown: Stoica and Nehorai's stochastic bound for uncorrelated sources.

    Theirs lets the source covariance be arbitrary, so it is above ours by a little; far above noise they agree.
    """
    spec = edited_spec("ula8", coupling={"magnitude": [[0.0, 0.0], [0.0, 0.0]]})
    scene = draw_scene(spec, 20, 2, 30.0, torch.Generator().manual_seed(1))
    ours = cramer_rao(scene, 100, coupling_known=True).azimuth.numpy()
    assert (ours <= crb_of_scene(scene, 100) * (1 + 1e-9)).all()
    assert ours == pytest.approx(crb_of_scene(scene, 100), rel=2e-3)


def test_not_knowing_the_coupling_costs_and_snapshots_pay():
    scene = draw_scene(load_spec("ula8"), 50, 2, 5.0, torch.Generator().manual_seed(2))
    blind, knowing = crb(scene, 100), cramer_rao(scene, 100, coupling_known=True).azimuth
    assert (blind > knowing).all()
    assert torch.allclose(crb(scene, 400), blind / 2)


def test_maximum_likelihood_reaches_it_far_above_threshold():
    """RMSE over bound of 300 scenes lies within 1 +- 5 standard errors of a ratio of 600 errors."""
    spec = load_spec("ula8")
    scene, batch = observed(spec, 300, 2, 500, 20.0, seed=4)
    error = angle_error(make_estimator("ml", spec)(batch, 2).azimuth, scene.azimuth)
    ratio = (error / crb(scene, 500)).square()
    trimmed = ratio[ratio.max(1)[0] < 25]  # a scene or two in a thousand starts from the wrong pair of peaks
    assert len(trimmed) >= 297
    assert float(trimmed.mean().sqrt()) == pytest.approx(1.0, abs=0.12)


def great_circle_bound(scene: Scene, n_snapshots: int, step: float = 1e-5) -> np.ndarray:
    """As `numerical_bound`, of one scene with elevations: azimuths, elevations and their great-circle error, (3, P)."""
    p = len(scene.azimuth[0])
    x = torch.cat(
        [scene.azimuth[0], scene.elevation[0], scene.power[0].log(), scene.theta[0], scene.noise_power[:1].log()]
    ).numpy()

    def covariance(x: np.ndarray) -> np.ndarray:
        az, el, power, rest = np.split(x, [p, 2 * p, 3 * p])
        unit = np.stack([np.cos(el) * np.cos(az), np.cos(el) * np.sin(az), np.sin(el)])
        a = np.exp(2j * np.pi * scene.spec.positions.numpy() @ unit)
        v = scene.spec.family.matrix(torch.from_numpy(rest[:-1])).numpy() @ a * np.exp(power / 2)
        return v @ v.conj().T + np.exp(rest[-1]) * np.eye(len(v))

    inverse = np.linalg.inv(covariance(x))
    slopes = [inverse @ (covariance(x + e) - covariance(x - e)) / (2 * step) for e in step * np.eye(len(x))]
    fisher = np.array([[np.trace(a @ b).real for a in slopes] for b in slopes])
    std = np.sqrt(np.diag(np.linalg.inv(n_snapshots * fisher)))
    azimuth, elevation = std[:p], std[p : 2 * p]
    return np.stack([azimuth, elevation, np.hypot(azimuth * np.cos(scene.elevation[0].numpy()), elevation)])


@pytest.mark.parametrize(("array", "n_sources"), [("dome8", 2), ("panel16", 3)])
def test_agrees_with_numerical_derivatives_by_both_angles(array, n_sources):
    scene = draw_scene(load_spec(array), 4, n_sources, 10.0, torch.Generator().manual_seed(3))
    for i in range(4):
        one = scene.select(slice(i, i + 1))
        bound = cramer_rao(one, 50)
        found = torch.stack([bound.azimuth[0], bound.elevation[0], bound.direction[0]]).numpy()
        assert found == pytest.approx(great_circle_bound(one, 50), rel=1e-6)


@pytest.mark.parametrize(
    ("array", "pattern"), [("dome8", "short-dipole"), ("dome8", "half-wave-dipole"), ("panel16", "patch")]
)
def test_with_a_pattern_powers_are_those_of_what_is_incident(array, pattern):
    """Every derivative of R by central differences, of a model in which the pattern stands in the response."""
    element = {"pattern": pattern} | ({"exponent": 1.5} if pattern == "patch" else {})
    spec, step = edited_spec(array, element=element), 1e-6
    scene = draw_scene(spec, 2, 2, 15.0, torch.Generator().manual_seed(5))
    bound, p = cramer_rao(scene, 100), 2
    for i in range(2):
        parts = [scene.azimuth[i], scene.elevation[i], scene.incident_power[i].log(), scene.theta[i]]
        x = torch.cat([*parts, scene.noise_power[i : i + 1].log()]).numpy()

        def covariance(x: np.ndarray) -> np.ndarray:
            t = torch.from_numpy(x)
            azimuth, elevation, power = t[:p], t[p : 2 * p], t[2 * p : 3 * p].exp()
            gain = spec.element.gain(azimuth, elevation)
            v = spec.family.response(t[None, 3 * p : -1], spec.positions, azimuth[None], elevation[None])[0] * gain
            eye = torch.eye(spec.n_elements, dtype=v.dtype)
            return ((v * power) @ v.mH + t[-1].exp() * eye).numpy()

        inverse = np.linalg.inv(covariance(x))
        slopes = [inverse @ (covariance(x + e) - covariance(x - e)) / (2 * step) for e in step * np.eye(len(x))]
        fisher = 100 * np.array([[np.trace(a @ b).real for a in slopes] for b in slopes])
        std = np.sqrt(np.diag(np.linalg.inv(fisher)))
        assert bound.azimuth[i].numpy() == pytest.approx(std[:p], rel=1e-5)
        assert bound.elevation[i].numpy() == pytest.approx(std[p : 2 * p], rel=1e-5)
        assert bound.power_db[i].numpy() == pytest.approx(10 / np.log(10) * std[2 * p : 3 * p], rel=1e-5)


def test_what_the_coupling_can_make_up_for_has_no_bound():
    """A panel of two rows and one source: whatever its elevation, coupled responses of a column of elements lie in one
    span, so that other coefficients stand for another elevation. Straight ahead azimuth does not change with it, and
    its bound is that of a known elevation.
    """
    lattice = {"family": "lattice", "lags": [[0, 1], [1, 0], [1, 1]], "magnitude": [[0.1, 0.3]] * 3}
    spec = edited_spec("panel16", geometry={"kind": "ura", "rows": 2, "columns": 3}, coupling=lattice)
    drawn = draw_scene(spec, 3, 1, 20.0, generator=torch.Generator().manual_seed(1))
    scene = replace(drawn, azimuth=torch.zeros(3, 1, dtype=torch.float64))
    bound, known = cramer_rao(scene, 100), cramer_rao(scene, 100, coupling_known=True)
    for value in (bound.elevation, bound.direction, bound.theta, bound.power_db):
        assert value.isinf().all()
    assert known.elevation.isfinite().all() and bound.noise_power_db.isfinite().all()

    model = CovarianceModel(spec, 1)
    r, dr = model.derivatives(model.pack(scene.azimuth, scene.power, scene.theta, scene.noise_power, scene.elevation))
    others = [k for k in range(dr.shape[1]) if k != 1]  # all but the elevation
    variance = torch.linalg.inv(100 * fisher_information(r, dr[:, others]))[:, 0, 0]
    assert torch.allclose(bound.azimuth[:, 0], variance.sqrt(), rtol=1e-6)


def test_what_no_wave_tells_is_infinite_and_the_rest_is_as_without_it():
    """`kraken5` with its coupling from antennas: one source and five elements tell no direction, at any SNR."""
    scene = draw_scene(load_spec("kraken5"), 20, 1, 40.0, generator=torch.Generator().manual_seed(1))
    assert crb(scene, 200).isinf().all()
    assert cramer_rao(scene, 200, coupling_known=True).azimuth.isfinite().all()

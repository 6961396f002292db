import numpy as np
import pytest
import torch

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.root_music import polynomial_roots
from doamc.scenes import receive
from doamc.snapshots import make_batch
from tests.doamc.helpers.scenes import angle_error, edited_spec, exact_batch, fixed_scene, observed, uncoupled_spec

LINE = ["root-music", "esprit", "music-smoothed"]


def test_roots_are_those_of_numpy():
    rng = np.random.default_rng(1)
    c = rng.normal(size=(5, 9)) + 1j * rng.normal(size=(5, 9))
    ours = polynomial_roots(torch.from_numpy(c)).numpy()
    for row, coefficients in zip(ours, c, strict=True):
        theirs = np.roots(coefficients[::-1])
        assert max(np.abs(theirs - root).min() for root in row) < 1e-9
        assert max(np.abs(row - root).min() for root in theirs) < 1e-9


def test_the_polynomial_by_numpy():
    """Barabell's polynomial built by loops, its roots by numpy.roots, the two nearest inside the circle."""
    spec = uncoupled_spec("ula8")
    _, batch = observed(spec, 1, 2, 50, 5.0, seed=9)
    _, vectors = np.linalg.eigh(batch.covariance[0].numpy())
    noise = vectors[:, :6] @ vectors[:, :6].conj().T
    coefficients = np.zeros(15, complex)
    for i in range(8):
        for k in range(8):
            coefficients[7 + k - i] += noise[i, k]
    roots = np.roots(coefficients[::-1])
    roots = roots[np.abs(roots) < 1]
    best = np.sort(np.arcsin(np.angle(roots[np.argsort(np.abs(roots))[-2:]]) / np.pi))
    assert np.allclose(make_estimator("root-music", spec)(batch, 2).azimuth[0].numpy(), best, atol=1e-9)


@pytest.mark.parametrize("method", ["root-music", "esprit"])
def test_model_covariance_gives_the_directions(method):
    spec = uncoupled_spec("ula8")
    scene, _ = observed(spec, 100, 3, 10, 0.0)
    exact = exact_batch(scene, 10)
    assert angle_error(make_estimator(method, spec)(exact, 3).azimuth, scene.azimuth).abs().max() < 1e-6


@pytest.mark.parametrize("n_sources", [1, 2, 3, 7])
def test_without_noise_double_roots_do_not_stand_for_two_sources(n_sources):
    spec = edited_spec(
        "ula8",
        sector={"min_separation_deg": 15.0},
        coupling={"magnitude": [[0, 0]]},
        sources={"count": [1, 7]},
    )
    scene, _ = observed(spec, 50, n_sources, 30, 20.0)
    clean = receive(scene, 30, generator=torch.Generator().manual_seed(2)).clean
    error = angle_error(make_estimator("root-music", spec)(make_batch(clean), n_sources).azimuth, scene.azimuth)
    assert torch.rad2deg(error).abs().max() < 4e-7  # left on the circle, seven double roots split by 6e-6


def test_resolves_closer_sources_than_the_spectrum():
    """5 degrees apart (0.4 beamwidths), 5 dB, L = 100: the spectrum merges peaks where the roots stay two."""
    spec = edited_spec("ula8", sector={"min_separation_deg": 2.0}, coupling={"magnitude": [[0, 0]]})
    scene = fixed_scene(spec, [10.0, 15.0], 5.0, 300)
    batch = make_batch(receive(scene, 100, generator=torch.Generator().manual_seed(3)).snapshots)
    hits = {}
    for method in ("root-music", "music"):
        error = torch.rad2deg(make_estimator(method, spec)(batch, 2).azimuth - scene.azimuth)
        hits[method] = float((error.abs() < 2).all(1).double().mean())
    assert hits["root-music"] > hits["music"] + 0.1
    assert hits["root-music"] > 0.8


@pytest.mark.parametrize("spacing", [0.3, 0.7])
@pytest.mark.parametrize("method", LINE)
def test_other_spacings(method, spacing):
    """0.3: phases beyond 2 pi 0.3 belong to no direction. 0.7: unambiguous in +-40 deg, as 0.7 (2 sin 40) < 1."""
    spec = edited_spec(
        "ula8",
        geometry={"spacing_wavelengths": spacing},
        sector={"azimuth_deg": [-40.0, 40.0], "min_separation_deg": 15.0},
        coupling={"magnitude": [[0, 0]]},
    )
    scene, batch = observed(spec, 200, 2, 100, 20.0)
    error = angle_error(make_estimator(method, spec)(batch, 2).azimuth, scene.azimuth)
    assert torch.rad2deg(error).abs().max() < 1.5


@pytest.mark.parametrize("method", LINE)
def test_a_sector_to_one_side_chooses_among_directions_of_one_phase(method):
    """0.7 wavelengths, 10 to 65 degrees: sines 0.17 to 0.91 span less than 1 / 0.7, but reach beyond 0.5 / 0.7."""
    spec = edited_spec(
        "ula8",
        geometry={"spacing_wavelengths": 0.7},
        sector={"azimuth_deg": [10.0, 65.0], "min_separation_deg": 10.0},
        coupling={"magnitude": [[0, 0]]},
        sources={"count": [1, 2]},
    )
    scene, batch = observed(spec, 200, 2, 200, 20.0)
    error = angle_error(make_estimator(method, spec)(batch, 2).azimuth, scene.azimuth)
    assert torch.rad2deg(error).abs().max() < 1.5


def test_phases_of_no_direction_are_passed_over():
    """At 0.2 wavelengths three fifths of the circle are invisible; a root from there would be clamped to endfire."""
    spec = edited_spec(
        "ula8",
        geometry={"spacing_wavelengths": 0.2},
        sector={"min_separation_deg": 20.0},
        coupling={"magnitude": [[0, 0]]},
        sources={"count": [1, 3]},
    )
    _, batch = observed(spec, 500, 3, 20, 0.0)
    azimuth = make_estimator("root-music", spec)(batch, 3).azimuth
    at_endfire = (torch.rad2deg(azimuth).abs() > 89.999).any(1).double().mean()
    assert at_endfire < 0.05  # 0.26 where they are not


@pytest.mark.parametrize("method", LINE)
def test_another_geometry_is_refused(method):
    with pytest.raises(EstimatorError, match=f"{method} needs a uniform linear array .*found 'uca' in uca5"):
        make_estimator(method, "uca5")

import math

import numpy as np
import pytest
import torch
from benchmarks.yardsticks.stochastic_bound import stochastic_crb

from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.scenes import receive
from doamc.snapshots import make_batch
from doamc.spec import parse_spec
from tests.doamc.helpers.scenes import angle_error, edited_spec, exact_batch, fixed_scene, observed, uncoupled_spec


def by_loops(covariance, positions, grid, n_sources):
    """MUSIC as the textbook has it, one direction and one noise eigenvector at a time."""
    values, vectors = np.linalg.eigh(covariance)
    noise = vectors[:, np.argsort(values)[: len(values) - n_sources]]
    spectrum = np.empty(len(grid))
    for g, az in enumerate(grid):
        a = np.exp(2j * np.pi * (positions[:, 0] * np.cos(az) + positions[:, 1] * np.sin(az)))
        spectrum[g] = 1 / sum(abs(np.vdot(e, a)) ** 2 for e in noise.T)
    return spectrum


@pytest.mark.parametrize("name", ["ula8", "uca5"])
def test_peaks_of_the_spectrum_by_loops(name):
    spec = uncoupled_spec(name)
    _, batch = observed(spec, 1, 2, 100, 10.0, seed=5)
    low, high = np.degrees(spec.sector_rad)
    grid = np.radians(np.arange(low, high, 0.01))
    spectrum = by_loops(batch.covariance[0].numpy(), spec.positions.numpy(), grid, 2)
    peaks = 1 + np.flatnonzero((spectrum[1:-1] > spectrum[:-2]) & (spectrum[1:-1] > spectrum[2:]))
    best = np.sort(grid[peaks[np.argsort(spectrum[peaks])[-2:]]])
    estimate = make_estimator("music", spec)(batch, 2).azimuth[0].numpy()
    assert np.abs(estimate - best).max() < math.radians(0.006)  # half the grid step of the loops


@pytest.mark.parametrize("name", ["ula8", "uca5"])
def test_model_covariance_gives_the_directions(name):
    """Consistent: with the exact covariance the null is exact, however weak the sources; the grid leaves no trace."""
    spec = uncoupled_spec(name)
    scene, _ = observed(spec, 200, 2, 10, -10.0)
    out = make_estimator("music", spec)(exact_batch(scene, 10), 2)
    assert torch.rad2deg(angle_error(out.azimuth, scene.azimuth)).abs().max() < 1e-6
    assert torch.allclose(out.power, scene.power, rtol=1e-6)
    assert torch.allclose(out.noise_power, scene.noise_power, rtol=1e-9)


def test_any_positions_are_taken():
    points = [[0.0, 0.0], [0.5, 0.1], [-0.2, 0.4], [0.3, -0.5], [-0.4, -0.3], [0.1, 0.8]]
    table = {
        "name": "scattered",
        "geometry": {"kind": "positions", "points_wavelengths": points},
        "sector": {"azimuth_deg": [0.0, 360.0], "min_separation_deg": 40.0},
        "coupling": {"family": "reciprocal", "magnitude": [[0.0, 0.0]], "diagonal": 0.0},
        "sources": {"count": [1, 3]},
    }
    scene, batch = observed(parse_spec(table), 200, 3, 500, 20.0)
    error = angle_error(make_estimator("music", parse_spec(table))(batch, 3).azimuth, scene.azimuth)
    assert (torch.rad2deg(error).abs() < 1.5).double().mean() > 0.99


def test_standard_deviation_by_monte_carlo_on_one_scene():
    """Two sources 10 degrees apart at 5 dB, 1000 runs: MUSIC is off the bound there, its own formula must not be."""
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [5.0, 15.0], 5.0, 1000)
    batch = make_batch(receive(scene, 400, generator=torch.Generator().manual_seed(6)).snapshots)
    out = make_estimator("music", spec)(batch, 2)
    spread = (out.azimuth - scene.azimuth).square().mean(0).sqrt()
    assert torch.allclose(out.std.median(0)[0], spread, rtol=0.08)  # 1000 runs: 2.2 % each way
    bound = stochastic_crb(spec.positions.numpy(), scene.azimuth[0].numpy(), np.ones(2), 10**-0.5, 400)
    assert (spread.numpy() > 0.95 * bound).all()


def test_a_source_at_the_end_of_the_sector_is_found():
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [-60.0, 20.0], 20.0, 100)
    batch = make_batch(receive(scene, 100, generator=torch.Generator().manual_seed(7)).snapshots)
    error = torch.rad2deg(make_estimator("music", spec)(batch, 2).azimuth - scene.azimuth)
    assert error.abs().max() < 0.6 and error[:, 0].min() >= 0


def test_a_source_at_the_seam_of_the_circle_is_found():
    spec = edited_spec("uca5", sector={"azimuth_deg": [-180.0, 180.0]}, coupling={"magnitude": [[0, 0], [0, 0]]})
    scene = fixed_scene(spec, [0.0, 180.0], 20.0, 100)
    batch = make_batch(receive(scene, 200, generator=torch.Generator().manual_seed(8)).snapshots)
    azimuth = make_estimator("music", spec)(batch, 2).azimuth
    low, high = spec.sector_rad
    assert (azimuth >= low).all() and (azimuth <= high).all()
    at_seam = azimuth.gather(1, azimuth.abs().argmax(1, keepdim=True))
    assert torch.rad2deg(angle_error(at_seam, torch.tensor(math.pi))).abs().max() < 1.5


@pytest.mark.parametrize("method", ["music", "root-music", "esprit"])
def test_fewer_snapshots_than_sources_are_refused(method):
    spec = uncoupled_spec("ula8")
    _, batch = observed(spec, 2, 2, 1, 20.0)
    with pytest.raises(EstimatorError, match=f"{method} needs at least as many snapshots as sources, found L = 1"):
        make_estimator(method, spec)(batch, 2)


@pytest.mark.parametrize("method", ["music", "root-music", "esprit"])
def test_without_any_noise_estimate_there_is_no_standard_deviation(method):
    """L = P: the data leave no eigenvalue to the noise. A known noise power mends it."""
    spec = uncoupled_spec("ula8")
    scene, batch = observed(spec, 3, 2, 2, 30.0)
    assert make_estimator(method, spec)(batch, 2).std.isnan().all()
    told = make_batch(batch.snapshots, noise_power=scene.noise_power)
    assert (make_estimator(method, spec)(told, 2).std > 0).all()

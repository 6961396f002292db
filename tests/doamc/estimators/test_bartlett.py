import math

import numpy as np
import pytest
import torch

from doamc.estimators import make_estimator
from tests.doamc.helpers.scenes import angle_error, exact_batch, fixed_scene, observed, uncoupled_spec


def test_spectrum_by_loops_and_one_peak():
    """a^H R a written out in numpy on a grid of 0.001 degree; one scene of two sources far apart."""
    spec = uncoupled_spec("ula8")
    _, batch = observed(spec, 1, 2, 30, 10.0, seed=4)
    r = batch.covariance[0].numpy()
    grid = np.radians(np.arange(-60, 60.0005, 0.001))
    a = np.exp(1j * np.pi * np.arange(8)[:, None] * np.sin(grid))
    beam = sum(r[i, k] * a[i].conj() * a[k] for i in range(8) for k in range(8)).real
    peaks = 1 + np.flatnonzero((beam[1:-1] > beam[:-2]) & (beam[1:-1] > beam[2:]))
    best = np.sort(grid[peaks[np.argsort(beam[peaks])[-2:]]])
    estimate = make_estimator("bartlett", spec)(batch, 2).azimuth[0].numpy()
    assert np.abs(estimate - best).max() < math.radians(0.0006)


@pytest.mark.parametrize("n_snapshots", [1, 2])
def test_one_source_from_one_snapshot(n_snapshots):
    """Maximum likelihood: at 30 dB and L = 1 the bound is about 0.23 degrees at worst in the sector."""
    spec = uncoupled_spec("ula8")
    scene, batch = observed(spec, 200, 1, n_snapshots, 30.0, waveform="constant-modulus")
    error = angle_error(make_estimator("bartlett", spec)(batch, 1).azimuth, scene.azimuth)
    assert torch.rad2deg(error).square().mean().sqrt() < 0.25


def test_two_sources_within_a_beamwidth_are_one():
    """Beamwidth of eight half-wave elements: 12.8 degrees. At 4 degrees the beam has one peak, in the middle."""
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [-2.0, 2.0], 20.0)
    found = torch.rad2deg(make_estimator("bartlett", spec)(exact_batch(scene, 40), 1).azimuth)
    assert abs(float(found)) < 1e-6

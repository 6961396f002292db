import math

import numpy as np
import pytest
import torch

from doamc.estimators import make_estimator
from doamc.snapshots import make_batch
from tests.doamc.helpers.scenes import angle_error, exact_batch, fixed_scene, observed, uncoupled_spec


def test_minimum_of_the_written_spectrum():
    spec = uncoupled_spec("uca5")
    _, batch = observed(spec, 1, 2, 60, 10.0, seed=3)
    inverse = np.linalg.inv(batch.covariance[0].numpy())
    grid = np.radians(np.arange(0, 360, 0.002))
    phase = 2 * np.pi * 0.35 * np.cos(grid - 2 * np.pi * np.arange(5)[:, None] / 5)
    a = np.exp(1j * phase)
    power = 1 / np.einsum("ng,nm,mg->g", a.conj(), inverse, a).real
    peaks = np.flatnonzero((power > np.roll(power, 1)) & (power > np.roll(power, -1)))
    best = np.sort(grid[peaks[np.argsort(power[peaks])[-2:]]])
    estimate = make_estimator("capon", spec)(batch, 2).azimuth[0].numpy()
    assert np.abs(estimate - best).max() < math.radians(0.0012)


def test_resolves_what_bartlett_cannot():
    """Model covariance, two sources 6 degrees apart at 20 dB: half a beamwidth."""
    spec = uncoupled_spec("ula8")
    scene = fixed_scene(spec, [-3.0, 3.0], 20.0)
    batch = exact_batch(scene, 100)
    capon = torch.rad2deg(make_estimator("capon", spec)(batch, 2).azimuth)[0]
    bartlett = torch.rad2deg(make_estimator("bartlett", spec)(batch, 2).azimuth)[0]
    assert capon.tolist() == pytest.approx([-3.0, 3.0], abs=0.1)
    assert (bartlett - torch.tensor([-3.0, 3.0])).abs().max() > 1.0


@pytest.mark.parametrize("n_snapshots", [1, 2, 4, 7])
def test_fewer_snapshots_than_elements_are_loaded(n_snapshots):
    spec = uncoupled_spec("ula8")
    scene, batch = observed(spec, 200, 1, n_snapshots, 30.0, waveform="constant-modulus")
    error = torch.rad2deg(angle_error(make_estimator("capon", spec)(batch, 1).azimuth, scene.azimuth)).abs()
    assert (error < 2).double().mean() > 0.99


def test_a_known_noise_power_sets_the_loading():
    """(N / L) s2 on the diagonal, and no more: the same minimum as that loading by hand."""
    spec = uncoupled_spec("ula8")
    scene, batch = observed(spec, 3, 2, 4, 20.0)
    told = make_batch(batch.snapshots, noise_power=scene.noise_power)
    mean_power = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
    for b in range(3):
        share = float(2 * scene.noise_power[b] / mean_power[b])
        by_hand = make_estimator("capon", spec, loading=share)(batch.select(slice(b, b + 1)), 2)
        assert torch.allclose(by_hand.azimuth[0], make_estimator("capon", spec)(told, 2).azimuth[b], atol=1e-9)


def test_heavy_loading_is_bartlett():
    """(R + g I)^-1 tends to (I - R / g) / g, whose minima are Bartlett's maxima."""
    spec = uncoupled_spec("ula8")
    _, batch = observed(spec, 20, 1, 20, 5.0)
    loaded = make_estimator("capon", spec, loading=1e6)(batch, 1).azimuth
    assert angle_error(loaded, make_estimator("bartlett", spec)(batch, 1).azimuth).abs().max() < 1e-4

import math
import time

import numpy as np
import pytest
import torch
from scipy import stats

from doamc.scenes import draw_azimuth, draw_scene
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec

SEED = 11


def generator(seed=SEED):
    return torch.Generator().manual_seed(seed)


def by_rejection(spec, n_sources, count, seed):
    """The law in words: uniform angles, thrown away whenever two are too close."""
    rng = np.random.default_rng(seed)
    low, high = spec.sector_rad
    kept = np.empty((0, n_sources))
    while len(kept) < count:
        azimuth = np.sort(rng.uniform(low, high, (4 * count, n_sources)), axis=1)
        gaps = np.diff(azimuth, axis=1)
        if spec.full_circle:
            gaps = np.concatenate([gaps, azimuth[:, :1] + 2 * math.pi - azimuth[:, -1:]], 1)
        kept = np.concatenate([kept, azimuth[(gaps >= math.radians(spec.min_separation_deg)).all(1)]])
    return kept[:count]


LINE = edited_spec("ula8", sector={"azimuth_deg": [-50.0, 70.0], "min_separation_deg": 12.0})
CIRCLE = edited_spec("uca5", sector={"azimuth_deg": [0.0, 360.0], "min_separation_deg": 40.0})
SHIFTED = edited_spec("uca5", sector={"azimuth_deg": [-180.0, 180.0], "min_separation_deg": 40.0})


@pytest.mark.parametrize("n_sources", [1, 2, 3, 4])
@pytest.mark.parametrize("spec", [LINE, CIRCLE, SHIFTED], ids=["line", "circle", "shifted circle"])
def test_azimuths_follow_the_law_of_rejection_sampling(spec, n_sources):
    """Two-sample Kolmogorov-Smirnov on every sorted angle and every gap; the seeds are fixed, so no false alarms."""
    drawn = draw_azimuth(spec, 4000, n_sources, generator()).numpy()
    expected = by_rejection(spec, n_sources, 4000, SEED)
    columns = [(drawn[:, k], expected[:, k]) for k in range(n_sources)]
    columns += [(np.diff(drawn)[:, k], np.diff(expected)[:, k]) for k in range(n_sources - 1)]
    for ours, theirs in columns:
        assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


@pytest.mark.parametrize("spec", [LINE, CIRCLE, SHIFTED], ids=["line", "circle", "shifted circle"])
def test_azimuths_are_ascending_in_the_sector_and_apart(spec):
    azimuth = draw_azimuth(spec, 5000, 3, generator())
    low, high = spec.sector_rad
    assert azimuth.shape == (5000, 3) and azimuth.dtype == torch.float64
    assert azimuth.min() >= low and azimuth.max() <= high
    gaps = azimuth.diff(dim=1)
    if spec.full_circle:
        gaps = torch.cat([gaps, azimuth[:, :1] + 2 * math.pi - azimuth[:, -1:]], 1)
    assert gaps.min() >= math.radians(spec.min_separation_deg) - 1e-12


def test_one_seed_gives_one_batch():
    spec = load_spec("ula8")
    one, two = (draw_scene(spec, 5, 2, None, generator()) for _ in range(2))
    other = draw_scene(spec, 5, 2, None, generator(SEED + 1))
    for field in ("azimuth", "power", "theta", "noise_power"):
        assert torch.equal(getattr(one, field), getattr(two, field))
        assert not torch.equal(getattr(one, field), getattr(other, field))


def test_powers_are_uniform_in_decibels_over_the_range_of_the_specification():
    power_db = 10 * draw_scene(load_spec("ula8"), 4000, 2, 0.0, generator()).power.log10().flatten().numpy()
    assert stats.kstest(power_db, stats.uniform(-6, 6).cdf).pvalue > 1e-3


def test_snr_is_that_of_a_zero_decibel_source():
    spec = load_spec("ula8")
    assert draw_scene(spec, 3, 1, 7.0, generator()).noise_power.tolist() == pytest.approx([10**-0.7] * 3)
    for given, (low, high) in (((3.0, 9.0), (3.0, 9.0)), (None, spec.snr_db)):
        snr_db = -10 * draw_scene(spec, 4000, 1, given, generator()).noise_power.log10().numpy()
        assert stats.kstest(snr_db, stats.uniform(low, high - low).cdf).pvalue > 1e-3


def test_covariance_is_coupling_steering_powers_and_noise():
    spec = load_spec("uca5")
    scene = draw_scene(spec, 1, 2, 3.0, generator())
    x, y = spec.positions[:, 0, None].numpy(), spec.positions[:, 1, None].numpy()
    az = scene.azimuth[0].numpy()
    v = scene.coupling[0].numpy() @ np.exp(2j * np.pi * (x * np.cos(az) + y * np.sin(az)))
    expected = v @ np.diag(scene.power[0].numpy()) @ v.conj().T
    assert np.allclose(scene.signal_covariance[0].numpy(), expected, atol=1e-12)
    assert np.allclose(scene.covariance[0].numpy(), expected + 10**-0.3 * np.eye(5), atol=1e-12)


@pytest.mark.parametrize("name", ["ula8", "uca5", "seed16"])
def test_thousands_of_scenes_a_second(name):
    """A second of processor time; measured: 22 000 (seed16) to 500 000 (uca5), covariance included."""
    spec = load_spec(name)
    draw_scene(spec, 100, 2, None, generator()).covariance  # noqa: B018 (first use builds the family)
    start = time.process_time()
    draw_scene(spec, 20_000, 2, None, generator()).covariance  # noqa: B018
    assert 20_000 / (time.process_time() - start) > 3000

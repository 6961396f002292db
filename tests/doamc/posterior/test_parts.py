"""Draws, state, features, starts, samplers and summaries, each against what it must be."""

import math

import numpy as np
import pytest
import torch

from doamc.estimators.features import FeatureMap
from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.separation import separate
from doamc.posterior.proposals.rare_starts import rank_reduction_starts
from doamc.posterior.proposals.scene_vector import make_layout
from doamc.posterior.report.source_order import align
from doamc.posterior.report.summary import main_mode, summarise
from doamc.posterior.sampling.resampling import systematic, tempering
from doamc.posterior.training.examples import draw_example
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec
from tests.doamc.posterior.scenes import coordinates_of, observed


@pytest.mark.parametrize("snapshots", [1, 3, 8, 500])
def test_bartlett_draws_have_the_moments_and_rank_of_wishart(snapshots):
    scene = observed("ula4", 1, 2, 10, 5.0)[0]
    r = scene.covariance
    n = 40_000
    count = torch.full((n,), float(snapshots), dtype=torch.float64)
    drawn = draw_covariance(r.expand(n, -1, -1), count, np.random.default_rng(0))
    spread = math.sqrt(1 / (snapshots * n))
    level = float(r.diagonal(dim1=1, dim2=2).real.max())
    assert (drawn.mean(0) - r[0]).abs().max() < 6 * spread * level
    # var of a diagonal entry is r_ii^2 / L
    found = drawn[:, 0, 0].real.var() * snapshots / r[0, 0, 0].real ** 2
    assert abs(float(found) - 1) < 0.08
    rank = torch.linalg.matrix_rank(drawn[:20], hermitian=True, rtol=1e-9)
    assert (rank == min(snapshots, 4)).all()


def test_the_same_seed_draws_the_same_example():
    a, b = (draw_example(load_spec("ula8"), 16, 2, 7) for _ in range(2))
    assert torch.equal(a.covariance, b.covariance) and torch.equal(a.known, b.known)
    assert a.snapshots.min() >= 1 and a.snapshots.max() <= 1e6


@pytest.mark.parametrize("array", ["ula8", "uca5", "seed16"])
def test_state_keeps_a_scene(array):
    spec = load_spec(array)
    layout = make_layout(spec)
    for p in range(spec.source_count[0], spec.source_count[1] + 1):
        scene = observed(array, 50, p, 10, 5.0)[0]
        z = layout.encode(scene)
        assert z.shape == (50, layout.size) and (z[layout.mask(torch.full((50,), p)) == 0] == 0).all()
        azimuth, power_db, theta, noise_db = layout.decode(z, p)
        assert torch.allclose(azimuth, scene.azimuth, atol=2e-3)  # float32 of a sine near 60 deg
        assert torch.allclose(power_db, 10 * scene.power.log10(), atol=1e-3)
        assert torch.allclose(theta, scene.theta, atol=1e-4)
        assert torch.allclose(noise_db, 10 * scene.noise_power.log10(), atol=1e-3)


def test_features_know_no_units_when_the_noise_is_given():
    spec = load_spec("ula8")
    scene, covariance, count = observed("ula8", 5, 2, 30, 10.0)
    features = FeatureMap(spec)
    p, known = torch.full((5,), 2), torch.ones(5, dtype=torch.bool)
    a = features(covariance, count, p, scene.noise_power, known)
    b = features(4 * covariance, count, p, 4 * scene.noise_power, known)
    levels = 2 * 64 + 8 + 121 + torch.tensor([3, 4])  # the two that say the absolute level
    keep = torch.ones(a.shape[1], dtype=torch.bool)
    keep[levels] = False
    assert a.shape[1] == features.size and torch.allclose(a[:, keep], b[:, keep], atol=1e-4)
    assert torch.allclose(b[:, levels] - a[:, levels], torch.tensor([math.log(4) / 2, math.log(4) / 4]), atol=1e-4)


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 1), ("ula8", 3), ("uca5", 2)])
def test_classical_starts_find_a_noiseless_scene(array, n_sources):
    scene, covariance, count = observed(array, 30, n_sources, 1_000_000, 40.0)
    features = FeatureMap(scene.spec)
    p = torch.full((30,), n_sources)
    x = features(covariance, count, p, scene.noise_power, torch.zeros(30, dtype=torch.bool))
    start = rank_reduction_starts(coordinates_of(scene), features.null_spectrum(x).double(), features.grid, covariance)
    error = (start[0].sort(1)[0] - scene.azimuth[..., None]).abs().amax(1).amin(1)
    # within the grid (1 or 3 deg) for nearly all; rank reduction has spurious zeros for some couplings
    assert float((error < math.radians(3.0)).double().mean()) >= 0.8


def test_systematic_resampling_keeps_expected_counts():
    weight = torch.tensor([[0.5, 0.25, 0.0, 0.25], [0.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    comb = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    counts = torch.stack([torch.bincount(r, minlength=4) for r in systematic(weight, comb)])
    assert counts.tolist() == [[4, 2, 0, 2], [0, 0, 8, 0]]


def test_tempering_leaves_the_effective_number():
    value = 50 * torch.randn(6, 64, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    weight = torch.softmax(tempering(value, 16, 0.5)[:, None] * value, 1)
    assert torch.allclose(1 / weight.square().sum(1), torch.full((6,), 16.0, dtype=torch.float64), rtol=0.02)
    assert (tempering(0.01 * value, 16, 0.5) == 0.5).all()


@pytest.mark.parametrize("array", ["ula8", "uca5"])
def test_separated_azimuths_keep_the_least_separation(array):
    spec = load_spec(array)
    p = 2
    coordinates = make_coordinates(spec, p, True, (-60.0, 40.0))
    low, high = spec.sector_rad
    u = torch.rand(5000, p, generator=torch.Generator().manual_seed(0), dtype=torch.float64).sort(1)[0]
    assert coordinates.apart(separate(low + (high - low) * u, coordinates)[..., None]).all()


def test_main_mode_leaves_out_a_separate_lighter_one():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2, 2, 1000, generator=generator, dtype=torch.float64) * math.radians(0.5)
    z[0, :, 700:] += math.radians(30.0)
    member = main_mode(z, math.radians(4.0))
    assert member[0, :700].all() and not member[0, 700:].any()
    assert member[1].double().mean() > 0.99


def test_a_second_place_of_the_directions_is_told_with_its_share():
    coordinates = make_coordinates(load_spec("ula8"), 2, False, (-60.0, 40.0))
    generator = torch.Generator().manual_seed(0)
    n = 1000
    azimuth = torch.tensor([[-0.3], [0.4]]) + 0.01 * torch.randn(2, 2, n, generator=generator, dtype=torch.float64)
    azimuth[0, 1, 720:] += 0.35  # 28 % of the first item's samples have the second source elsewhere
    one = torch.ones(2, 2, n, dtype=torch.float64)
    spread = 0.05 * torch.randn(2, 2, n, generator=generator, dtype=torch.float64)
    s = summarise(coordinates.join(-3 * one, 0.3 * one, one[:, :1], azimuth, spread), coordinates)
    expected = torch.tensor([[-0.3, 0.4], [-0.3, 0.75]], dtype=torch.float64)
    assert torch.allclose(s.mode_azimuth[0, :2], expected, atol=0.003)
    assert torch.allclose(s.mode_share[0, :2], torch.tensor([0.72, 0.28], dtype=torch.float64), atol=1e-9)
    assert s.mode_share[1].tolist() == [1.0, 0.0, 0.0] and s.mode_azimuth[1, 1:].isnan().all()
    assert torch.equal(s.azimuth, s.mode_azimuth[:, 0]) and (s.mode_std[0, :2] < 0.02).all() and (s.std[1] < 0.02).all()
    assert s.std[0, 0] < 0.02 and 0.32 < 1.645 * s.std[0, 1] < 0.38  # the interval must reach the other place
    # C = I + sum c_k B_k, c_k = 0.3 exp(j 0.05 z): spread 0.3 * 0.05 to first order on both bands, none elsewhere
    assert torch.allclose(s.coupling_std[0].diagonal(1), torch.full((7,), 0.015, dtype=torch.float64), rtol=0.1)
    assert s.coupling_std[0].diagonal().abs().max() == 0 and s.coupling_std[0].diagonal(3).abs().max() == 0


def test_summary_on_a_circle_knows_where_north_is():
    spec = load_spec("uca5")
    coordinates = make_coordinates(spec, 2, False, (-60.0, 40.0))
    generator = torch.Generator().manual_seed(0)
    n = 4000
    azimuth = torch.tensor([[0.0], [2.0]]) + 0.05 * torch.randn(1, 2, n, generator=generator, dtype=torch.float64)
    azimuth = torch.where(torch.rand(1, 1, n, generator=generator) < 0.5, azimuth.flip(1), azimuth) % (2 * math.pi)
    one = torch.ones(1, 2, n, dtype=torch.float64)
    x = coordinates.join(-3 * one, 0.3 * one, one[:, :1], azimuth, one)
    assert torch.allclose(
        align(azimuth, coordinates)[0].std(2), torch.full((1, 2), 0.05, dtype=torch.float64), rtol=0.1
    )
    s = summarise(x, coordinates)
    away = torch.stack([s.azimuth[0] - v for v in (torch.tensor([0.0, 2.0]), torch.tensor([2.0, 0.0]))])
    away = torch.remainder(away + math.pi, 2 * math.pi) - math.pi
    assert away.abs().amax(1).min() < 0.01
    assert torch.allclose(s.std, torch.full((1, 2), 0.05, dtype=torch.float64), rtol=0.1)
    width = s.interval[..., 1] - s.interval[..., 0]
    assert torch.allclose(width, torch.full_like(width, 2 * 1.645 * 0.05), rtol=0.1)

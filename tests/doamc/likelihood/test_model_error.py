"""Errors of the response: how far they move a scene, and how large they are found to be."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from doamc.likelihood.error_kinds import ERROR_KINDS
from doamc.likelihood.mode_search import search_modes
from doamc.likelihood.model_error import ModelError, linearise
from doamc.scenes.prior import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec, parse_spec
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

SIZES_DB = torch.arange(-78.0, -5.0, 3.0, dtype=torch.float64)
MANY = 1e8  #: snapshots of which nothing is left to chance, and beside which no prior counts


def uncoupled_line(elements):
    """A line array half a wavelength apart whose coupling is known to be none."""
    return parse_spec(
        {
            "name": "line",
            "geometry": {"kind": "ula", "elements": elements, "spacing_wavelengths": 0.5},
            "sector": {"azimuth_deg": [-60.0, 60.0], "min_separation_deg": 5.0},
            "coupling": {"family": "symmetric-toeplitz", "magnitude": [[1e-9, 2e-9]], "phase_deg": 0.01},
            "sources": {"count": [1, 1], "power_db": [-6.0, 0.0]},
            "snapshots": {"count": [1, 1000], "snr_db": [-10.0, 40.0]},
        }
    )


def test_one_source_on_a_line_is_turned_as_the_closed_form_has_it():
    """Phases phi_m turn the bearing by sum (m - mean) phi_m / (2 pi d cos az sum (m - mean)^2), gains not at all."""
    n = 6
    scene = draw_scene(uncoupled_line(n), 3, 1, 10.0, torch.Generator().manual_seed(1))
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, scene.covariance, torch.full((3,), MANY, dtype=torch.float64))
    around = linearise(posterior, point_of(coordinates, scene)[:, :, 0])
    m = torch.arange(n, dtype=torch.float64) - (n - 1) / 2
    expected = m / (math.pi * scene.azimuth.cos() * m.square().sum())  # (3, n); 2 pi d = pi
    azimuth = around.moves[:, -2]  # [log amplitude, |c|, log noise, azimuth, arg c]
    assert torch.allclose(azimuth[:, n:], expected, rtol=1e-6)
    assert azimuth[:, :n].abs().max() < 1e-6 * expected.max()


def erring(scene, e):
    """Covariance of scenes whose responses err by complex e (B, N, P)."""
    v = scene.response * (1 + e) * scene.power.sqrt()[:, None]
    eye = torch.eye(v.shape[1], dtype=v.dtype)
    return v @ v.mH + scene.noise_power[:, None, None] * eye


def test_the_likeliest_scene_moves_by_what_is_foretold_up_to_second_order():
    scene = draw_scene(load_spec("ula8"), 4, 2, 10.0, torch.Generator().manual_seed(3))
    coordinates = coordinates_of(scene)
    count = torch.full((4,), MANY, dtype=torch.float64)
    x = coordinates.clip(point_of(coordinates, scene))
    z = torch.randn(2, 4, 8, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    e = torch.complex(z[0], z[1])
    moves = linearise(posterior_of(coordinates, scene, scene.covariance, count), x[:, :, 0]).moves
    foretold = (moves @ torch.cat([e.real, e.imag], 1).flatten(1)[..., None])[..., 0]
    azimuth = coordinates.split(torch.arange(coordinates.size)[None, :, None])[3][0, :, 0]
    left = []
    for size in (1e-3, 5e-4):
        posterior = posterior_of(coordinates, scene, erring(scene, size * e), count)
        found = search_modes(posterior, x, posterior(x), 40, 1)[0][:, :, 0]
        moved = (found - x[:, :, 0])[:, azimuth]
        assert (moved - size * foretold[:, azimuth]).abs().max() < 0.05 * moved.abs().max()
        left.append(float((moved - size * foretold[:, azimuth]).abs().max()))
    assert left[1] < 0.3 * left[0]  # a quarter, were the rest of second order alone


def test_draws_are_of_the_normal_distribution_that_algebra_gives():
    scene, rhat, count = observed("ula8", 2, 2, 200, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    around = linearise(posterior, point_of(coordinates, scene)[:, :, 0])
    error = ModelError(posterior, around, torch.tensor([-14.0], dtype=torch.float64))
    n = 40_000
    comb = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    found = error.draws(comb, torch.randn(32, n, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))
    first, second = 0.0, 0.0
    for i, kind in enumerate(ERROR_KINDS.values()):
        t = 10 ** (-14 / 20) * kind(posterior, around.x, around.v)
        inner = torch.linalg.inv(torch.eye(t.shape[2], dtype=t.dtype) + t.mT @ around.curvature @ t)
        k = around.moves @ t
        mean = -(k @ inner @ t.mT @ around.slope[..., None])
        first = first + error.weight[:, i, 0, None, None] * mean
        second = second + error.weight[:, i, 0, None, None] * (k @ inner @ k.mT + mean @ mean.mT)
    spread = (second - first @ first.mT).diagonal(dim1=1, dim2=2).sqrt()
    assert ((found.mean(2) - first[..., 0]).abs() < 0.03 * spread).all()  # 6 standard errors
    assert torch.allclose(found.std(2), spread, rtol=0.03)


def sizes(array, errors, n_sources=2, snr_db=10.0, seed=5):
    """Posterior of the error where responses err by errors (scene, generator) -> e, from samples of 200 snapshots."""
    generator = torch.Generator().manual_seed(seed)
    scene = draw_scene(load_spec(array), 32, n_sources, snr_db, generator)
    count = torch.full((32,), 200.0, dtype=torch.float64)
    rhat = draw_covariance(erring(scene, errors(scene, generator)), count, np.random.default_rng(seed))
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = coordinates.clip(point_of(coordinates, scene))
    best = search_modes(posterior, x, posterior(x), 20, 1)[0][:, :, 0]
    return ModelError(posterior, linearise(posterior, best), SIZES_DB)


def channels(scene, generator):
    """Gains of 1 dB and phases of 10 deg r.m.s.: 0.21 of the response, -13.6 dB."""
    z = torch.randn(2, *scene.coupling.shape[:2], 1, dtype=torch.float64, generator=generator)
    return torch.polar(10 ** (z[0] / 20), math.radians(10) * z[1]) - 1


def entries(scene, generator):
    """Every entry by itself, -20 dB."""
    z = torch.randn(2, *scene.response.shape, dtype=torch.float64, generator=generator)
    return 0.1 * torch.complex(z[0], z[1]) / math.sqrt(2)


@pytest.mark.parametrize(
    ("array", "errors", "kind", "true_db"),
    [("ula8", channels, 1, -13.6), ("ula8", entries, 0, -20.0), ("uca5", channels, 1, -13.6)],
)
def test_size_and_kind_of_an_error_are_found(array, errors, kind, true_db):
    error = sizes(array, errors)
    # 20 (ula8) and 8 (uca5) squares are seen of it: 1.4 and 2.2 dB of chance a batch, a fifth of it in the median
    assert abs(float(error.size_db(0.5).median()) - true_db) < 2.5
    assert float(error.weight.sum(2).mean(0)[kind]) > 0.5


def test_no_error_is_found_on_the_model():
    error = sizes("ula8", lambda scene, _: torch.zeros_like(scene.response))
    # -33 dB is the deviation of a response that 200 snapshots at 10 dB leave open
    assert float(error.size_db(0.95).median()) < -30.0
    assert ((error.size_db(0.05) > -40.0).double().mean()) <= 0.1  # what is found for certain, is found wrongly


def test_an_observation_is_taken_by_itself():
    scene, rhat, count = observed("ula8", 3, 2, 200, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = point_of(coordinates, scene)[:, :, 0]
    all_three = ModelError(posterior, linearise(posterior, x), SIZES_DB)
    one = posterior.select(slice(1, 2))
    alone = ModelError(one, linearise(one, x[1:2]), SIZES_DB)
    assert torch.allclose(all_three.weight[1:2], alone.weight, rtol=1e-9)
    comb = (torch.arange(96, dtype=torch.float64) + 0.5) / 96
    normal = torch.randn(32, 96, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(all_three.draws(comb, normal)[1:2], alone.draws(comb, normal), atol=1e-9)


def test_round_off_does_not_choose_the_draws():
    scene, rhat, count = observed("ula8", 3, 2, 200, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    around = linearise(posterior, point_of(coordinates, scene)[:, :, 0])
    generator = torch.Generator().manual_seed(1)
    noise = torch.randn(around.curvature.shape, dtype=torch.float64, generator=generator)
    off = replace(around, curvature=around.curvature * (1 + 1e-15 * (noise + noise.mT)))  # S has equal eigenvalues: 0
    comb = (torch.arange(96, dtype=torch.float64) + 0.5) / 96
    normal = torch.randn(32, 96, dtype=torch.float64, generator=generator)
    draws, others = (ModelError(posterior, a, SIZES_DB).draws(comb, normal) for a in (around, off))
    assert float(draws.abs().max()) > 1e-3 and torch.allclose(draws, others, atol=1e-9)

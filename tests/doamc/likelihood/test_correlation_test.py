"""The score test for correlated sources has its distribution, and finds what is correlated."""

import math

import numpy as np
import pytest
import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.likelihood.correlation_test import correlation_statistic
from doamc.likelihood.density import ExactPosterior
from doamc.scenes import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec

SCENES, SNAPSHOTS = 2000, 400


def statistics(array, n_sources, correlation):
    """T (SCENES,) at the true scene, whose first two sources have this correlation."""
    spec = load_spec(array)
    scene = draw_scene(spec, SCENES, n_sources, 5.0, torch.Generator().manual_seed(4))
    source = torch.eye(n_sources, dtype=torch.complex128).repeat(SCENES, 1, 1)
    source[:, 0, 1], source[:, 1, 0] = correlation, correlation.conjugate()
    v = scene.response * scene.power.sqrt()[:, None]
    true = v @ source @ v.mH + scene.noise_power[:, None, None] * torch.eye(spec.n_elements)
    length = torch.full((SCENES,), float(SNAPSHOTS), dtype=torch.float64)
    covariance = draw_covariance(true, length, np.random.default_rng(5))
    coordinates = make_coordinates(spec, n_sources, True, spec.noise_db)
    flat, wrapping = (c[..., None] for c in spec.family.coordinates(scene.theta))
    noise_db = 10 * scene.noise_power.log10()[:, None, None]
    x = coordinates.join(10 * scene.power.log10()[..., None], flat, noise_db, scene.azimuth[..., None], wrapping)
    return correlation_statistic(ExactPosterior(coordinates, covariance, length, None), x[..., 0])


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 2), ("ula8", 3), ("uca5", 2), ("dipole8", 2)])
def test_uncorrelated_sources_give_chi_square(array, n_sources):
    t, freedom = statistics(array, n_sources, 0j), n_sources * (n_sources - 1)
    # four sigma of a mean and of a share; the precision of the prior and L = 400 take a little
    assert float(t.mean()) == pytest.approx(freedom, abs=4 * math.sqrt(2 * freedom / SCENES) + 0.05 * freedom)
    p = torch.special.gammaincc(torch.tensor(freedom / 2).double(), t / 2)
    assert 0.002 < float((p < 0.01).double().mean()) < 0.01 + 4 * math.sqrt(0.01 / SCENES) + 0.002


def test_correlated_sources_are_found_in_either_quadrature():
    for correlation in (0.5 + 0j, 0.5j):
        assert float((statistics("ula8", 2, correlation) > 9.2).double().mean()) > 0.98

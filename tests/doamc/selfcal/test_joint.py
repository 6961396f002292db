"""One batch under a belief: its modes, its error bars, and how well it fits."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays.steering import steering
from doamc.coupling.angular import extended_steering
from doamc.likelihood.deviance import deviance, expected_deviance
from doamc.scenes.wishart import draw_covariance
from doamc.selfcal.belief import initial_belief, response_matrix
from doamc.selfcal.joint import distinct, fit_batch
from doamc.selfcal.observation import at_level
from doamc.selfcal.places import Places
from doamc.selfcal.start import start_family
from doamc.spec import load_spec
from tests.doamc.selfcal.scenes import World, moving


def test_error_bars_contain_what_is_not_known_about_the_coupling():
    """C from a narrow belief, SNR so high that it is all that matters: errors and scores are then standard normal."""
    spec = load_spec("dipole8")
    belief = initial_belief(start_family(spec, -25.0))
    places, rng, generator = Places(spec, belief.start.n_blocks), np.random.default_rng(4), torch.Generator()
    z_scores, d_scores = [], []
    for k in range(60):
        z = torch.randn(belief.start.n_parameters, generator=generator.manual_seed(k), dtype=torch.float64)
        azimuth = moving(1.3 * k)
        v = response_matrix(belief.start, z) @ extended_steering(spec.positions, azimuth, belief.start.n_blocks)
        world = World(spec, torch.eye(8, dtype=torch.complex128), rng, 30.0)
        observed = world_of(world, v)
        fit = fit_batch(spec, places, belief, observed, [], True).fit()
        z_scores.append((fit.azimuth[0] - azimuth) / fit.std[0])
        mean, std = expected_deviance(8, observed.length, 5)
        log_density = torch.tensor([fit.log_density], dtype=torch.float64)
        d_scores.append(float((deviance(log_density, observed.covariance, observed.length) - mean) / std))
    # 120 errors, in pairs: their r.m.s. has a standard error of 0.07 to 0.09
    assert 0.75 < float(torch.stack(z_scores).square().mean().sqrt()) < 1.3
    assert abs(np.mean(d_scores)) < 4 / math.sqrt(60) and 0.6 < np.std(d_scores) < 1.4


def world_of(world, v):
    """Observation of given responses (N, P) of equal powers."""
    r = v @ v.mH + 10 ** (-world.snr_db / 10) * torch.eye(8, dtype=torch.complex128)
    return at_level(draw_covariance(r[None], torch.tensor([256.0]), world.rng), 256.0, None, v.shape[1])


def test_modes_that_lie_together_are_one():
    azimuth = torch.tensor([[0.0, 1.0], [0.001, 1.0], [0.5, 1.0], [math.pi - 1e-3, 1.0], [1e-3 - math.pi, 1.0]])
    assert distinct(azimuth, torch.tensor([1.0, 3.0, 2.0, 0.0, -1.0]), True).tolist() == [1, 2, 3]
    assert distinct(azimuth, torch.tensor([1.0, 3.0, 2.0, 0.0, -1.0]), False).tolist() == [1, 2, 3, 4]


def test_two_batches_of_opposite_bearings_on_a_line_are_no_mode_of_each_other():
    """With C = I and one source the posterior has one mode, all of it in the main one."""
    spec = load_spec("ula8")
    belief = initial_belief(start_family(spec, -40.0))
    a = steering(spec.positions, torch.tensor([0.3], dtype=torch.float64)).to(torch.complex128)
    observed = at_level((a @ a.mH + 0.1 * torch.eye(8))[None], 1000.0, 0.1, 1)
    fit = fit_batch(spec, Places(spec, 1), belief, observed, [], False).fit()
    assert float(fit.share[0]) > 0.99 and float(fit.azimuth[0, 0]) == pytest.approx(0.3, abs=2e-3)
    assert fit.log_noise == pytest.approx(math.log(observed.noise_power))

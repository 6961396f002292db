"""Scenes of the prior that every search begins from."""

import math

import pytest
import torch

from doamc.likelihood.density import ExactPosterior
from doamc.posterior.proposals.prior_scenes import PriorScenes
from tests.doamc.likelihood.scenes import coordinates_of, observed


@pytest.mark.parametrize(("array", "n_sources"), [("ula8", 3), ("uca5", 2), ("kraken5", 2), ("ula8", 1)])
def test_all_have_a_posterior_and_the_noise_power_of_the_data(array, n_sources):
    scene, covariance, count = observed(array, 5, n_sources, 400, 20.0)
    coordinates = coordinates_of(scene)
    posterior = ExactPosterior(coordinates, covariance, count, None)
    points = PriorScenes(48, coordinates.size, 0, torch.device("cpu"))(posterior)
    assert points.shape == (5, coordinates.size, 48)
    assert bool(posterior(points).isfinite().all())  # inside the box, sources apart
    noise_db = 10 / math.log(10) * coordinates.split(points)[2][:, 0, 0]
    # of N - P eigenvalues times 400 snapshots: 0.14 dB of standard deviation at most
    assert float((noise_db - 10 * scene.noise_power.log10()).abs().max()) < 0.6


def test_azimuths_are_spread_over_the_sector():
    scene, covariance, count = observed("uca5", 1, 1, 100, 0.0)
    coordinates = coordinates_of(scene)
    points = PriorScenes(2000, coordinates.size, 1, torch.device("cpu"))
    azimuth = coordinates.split(points(ExactPosterior(coordinates, covariance, count, None)))[3][0, 0]
    low, high = scene.spec.sector_rad
    # the mean of 2000 uniform numbers lies within four standard deviations, width / sqrt(12 * 2000) each
    assert abs(float(azimuth.mean()) - 0.5 * (low + high)) < 4 * (high - low) / math.sqrt(24000)

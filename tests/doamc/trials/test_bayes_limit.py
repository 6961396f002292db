"""Chains from the truth."""

import math

import torch

from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.trials.bayes_limit import samples_from_truth
from tests.doamc.likelihood.scenes import coordinates_of, observed, posterior_of


def test_chains_from_the_truth_hit_where_a_scene_is_plain_and_less_where_it_is_not():
    rates = []
    for snr_db in (15.0, -12.0):
        scene, covariance, count = observed("ula8", 20, 2, 200, snr_db)
        coordinates = coordinates_of(scene)
        posterior = posterior_of(coordinates, scene, covariance, count)
        chains = MetropolisChains(8, coordinates.size, 60, (1.8,), (), 17, torch.device("cpu"))
        x = samples_from_truth(posterior, scene, chains.tables, 30, 3)
        assert x.shape == (20, coordinates.size, 10 * 8) and posterior(x).isfinite().all()
        error = (summarise(x, coordinates).azimuth - scene.azimuth).abs().amax(1)
        rates.append(float((error < math.radians(2.0)).double().mean()))
    assert rates[0] == 1.0 and rates[1] < 1.0

"""Chains from the truth."""

import numpy as np
import torch

from doamc.posterior.report.summary import summarise
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.scenes.accuracy import azimuth_error, is_hit
from doamc.scenes.prior import draw_scene
from doamc.scenes.wishart import draw_covariance
from doamc.spec import load_spec
from doamc.trials.bayes_limit import samples_from_truth
from tests.doamc.likelihood.scenes import coordinates_of, posterior_of


def test_chains_from_the_truth_hit_where_a_scene_is_plain_and_less_where_it_is_not():
    spec, rates = load_spec("ula8"), []
    count = torch.full((20,), 200.0, dtype=torch.float64)
    for snr_db in (15.0, -12.0):
        scene = draw_scene(spec, 20, 2, snr_db, torch.Generator().manual_seed(31))
        coordinates = coordinates_of(scene)
        covariance = draw_covariance(scene.covariance, count, np.random.default_rng(31))
        posterior = posterior_of(coordinates, scene, covariance, count)
        chains = MetropolisChains(8, coordinates.size, 60, (1.8,), (), 17, torch.device("cpu"))
        x = samples_from_truth(posterior, scene, chains.tables, 30, 3)
        assert x.shape == (20, coordinates.size, 10 * 8) and posterior(x).isfinite().all()
        error = azimuth_error(scene.azimuth, summarise(x, coordinates).azimuth, False)
        rates.append(float(is_hit(error).double().mean()))
    assert rates[0] == 1.0 and rates[1] < 1.0

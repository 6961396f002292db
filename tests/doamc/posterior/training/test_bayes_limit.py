"""Chains from the truth."""

import torch
from doamc.posterior.training.bayes_limit import hit_rate, limit_scenes, normal_moves, samples_from_truth
from tests.doamc.likelihood.scenes import coordinates_of, posterior_of

from doamc.spec import load_spec


def test_chains_from_the_truth_hit_where_a_scene_is_plain_and_less_where_it_is_not():
    spec, rates = load_spec("ula8"), []
    for snr_db in (15.0, -12.0):
        e = limit_scenes(spec, 20, snr_db=snr_db)
        coordinates = coordinates_of(e.scene)
        posterior = posterior_of(coordinates, e.scene, e.covariance, e.snapshots)
        x = samples_from_truth(posterior, e.scene, normal_moves(coordinates.size, 60, 8), 30, 3)
        assert x.shape == (20, coordinates.size, 10 * 8) and posterior(x).isfinite().all()
        rates.append(hit_rate(x, coordinates, e.scene))
    assert rates[0] == 1.0 and rates[1] < 1.0


def test_moves_are_normal_alone():
    tables = normal_moves(9, 30, 4)
    assert (tables.difference == -1).all() and len(tables.scale) == 0
    assert torch.equal(tables.normal, normal_moves(9, 30, 4).normal)

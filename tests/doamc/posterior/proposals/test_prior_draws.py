"""Prior scenes weighted by the likelihood."""

import torch

from doamc.posterior.proposals.prior_draws import PriorDraws
from doamc.posterior.sampling.resampling import even_comb
from tests.doamc.likelihood.scenes import coordinates_of, observed, posterior_of

CPU = torch.device("cpu")


def drawn(snapshots: int, snr_db: float):
    scene, rhat, count = observed("ula8", 3, 1, snapshots, snr_db)
    coordinates = coordinates_of(scene, False)
    posterior = posterior_of(coordinates, scene, rhat, count)
    return posterior, PriorDraws(4096, coordinates.size, 1, CPU)(posterior, 8, even_comb(96, CPU))


def test_importance_sampling_can_be_relied_on_where_the_data_say_little():
    assert drawn(1, -10.0)[1].reliable.all() and not drawn(1000, 20.0)[1].reliable.any()


def test_values_are_those_of_the_posterior_and_the_best_come_first():
    posterior, sample = drawn(5, 0.0)
    assert torch.equal(posterior(sample.best), sample.best_value) and torch.equal(posterior(sample.x), sample.value)
    assert (sample.best_value.diff(dim=1) <= 0).all() and (sample.value <= sample.best_value[:, :1]).all()


def test_without_data_the_samples_are_the_prior():
    posterior, sample = drawn(1, -60.0)
    low, high = posterior.coordinates.low[:, None], posterior.coordinates.high[:, None]
    share = ((sample.x - low) / (high - low)).mean((0, 2))
    assert (share - 0.5).abs().max() < 0.1  # of 96 draws: 3.4 sigma

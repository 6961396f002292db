"""Tempered weights of proposals."""

import torch

from doamc.posterior.proposals.weights import weigh
from doamc.posterior.sampling.resampling import even_comb
from tests.doamc.likelihood.scenes import coordinates_of, observed, posterior_of


def test_a_quarter_of_the_samples_stays_effective_or_more():
    scene, rhat, count = observed("ula4", 3, 1, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    u = torch.rand(3, coordinates.size, 48, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = coordinates.low[:, None] + (coordinates.high - coordinates.low)[:, None] * u
    value = posterior(x)
    found = weigh(posterior, x, value, 48, even_comb(96, x.device))
    torch.testing.assert_close(found.weight.sum(1), torch.ones(3, dtype=torch.float64))
    assert (1 / found.weight.square().sum(1) >= 0.99 * 12).all()
    assert torch.allclose(posterior(found.x), found.value) and found.x.shape == (3, coordinates.size, 96)
    even = weigh(posterior, x, torch.zeros_like(value), 48, even_comb(96, x.device))
    assert torch.allclose(even.weight, torch.full_like(even.weight, 1 / 48))

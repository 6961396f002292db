"""Broad posteriors: their width, and longer chains."""

import math

import torch

from doamc.likelihood.coordinates import make_coordinates
from doamc.posterior.sampling.broad import azimuth_width, longer_samples, settled_steps
from doamc.posterior.sampling.chains import MetropolisChains
from doamc.spec import load_spec
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def test_width_is_that_of_the_broadest_source_across_north_too():
    coordinates = make_coordinates(load_spec("uca5"), 2, False, (-60.0, 40.0))
    generator, one = torch.Generator().manual_seed(0), torch.ones(1, 2, 4000, dtype=torch.float64)
    z = torch.randn(1, 2, 4000, generator=generator, dtype=torch.float64)
    azimuth = torch.remainder(torch.tensor([[0.0], [2.0]]) + torch.tensor([[0.1], [0.03]]) * z, 2 * math.pi)
    x = coordinates.join(-3 * one, 0.3 * one, one[:, :1], azimuth, one)
    assert abs(float(azimuth_width(x, coordinates)) - 0.1) < 0.004  # 3 sigma of 4000 samples


def test_longer_chains_keep_even_states_of_their_settled_part():
    scene, rhat, count = observed("ula4", 2, 1, 20, 0.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    chains = MetropolisChains(8, coordinates.size, 90, (2.0,), (1.0,), 3, torch.device("cpu"))
    x = coordinates.clip(point_of(coordinates, scene)).expand(-1, -1, 8).contiguous()
    samples = longer_samples(chains, posterior, x, posterior(x), 8 * 20)
    assert settled_steps(90) == 60 and samples.shape == (2, coordinates.size, 160)
    assert posterior(coordinates.wrap(samples)).isfinite().all()

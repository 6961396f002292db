"""Tables of Metropolis chains, and what chains do with them."""

import torch

from doamc.likelihood.mode_search import covariance_factors
from doamc.posterior.sampling.chains import MetropolisChains
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of

CPU = torch.device("cpu")


def test_every_third_step_is_a_differential_evolution_move():
    tables = MetropolisChains(8, 5, 12, (2.0, 1.0), (1.0, 0.5), 3, CPU).tables
    assert tables.difference.tolist() == [-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1]
    assert tables.scale.tolist() == [1.0, 0.5, 1.0, 0.5] and tables.pairs.shape == (4, 2, 8)
    assert (MetropolisChains(8, 5, 12, (2.0,), (), 3, CPU).tables.difference == -1).all()


def test_proposal_scales_are_taken_in_turn_over_the_root_of_the_dimension():
    normal = MetropolisChains(4000, 4, 2, (2.0, 1.0), (), 3, CPU).tables.normal
    assert normal.shape == (2, 4, 4000)
    torch.testing.assert_close(normal.std((1, 2)), torch.tensor([1.0, 0.5]).double(), rtol=0.03, atol=0)  # 5 sigma


def test_fewer_coordinates_than_tables_take_their_first_columns():
    scene, rhat, count = observed("ula8", 2, 2, 50, 10.0)
    chains = MetropolisChains(16, 9, 12, (2.0,), (1.0,), 3, CPU)
    for unknown in (True, False):  # 9 and 8 coordinates
        coordinates = coordinates_of(scene, unknown)
        posterior = posterior_of(coordinates, scene, rhat, count)
        x = coordinates.clip(point_of(coordinates, scene)).expand(-1, -1, 16).contiguous()
        run = chains(posterior, x, posterior(x), covariance_factors(posterior, x), 6)
        assert run.kept.shape == (2, coordinates.size, 6, 16)
        assert torch.equal(run.kept[:, :, -1], run.x) and torch.allclose(posterior(run.x), run.value)
        assert 0 < run.acceptance.mean() < 1

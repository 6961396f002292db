"""Metropolis chains by tensors."""

import torch

from doamc.likelihood.metropolis import MoveTables, run_chains_by_tensors
from doamc.likelihood.mode_search import covariance_factors
from tests.doamc.likelihood.scenes import coordinates_of, observed, point_of, posterior_of


def problem(chains: int):
    scene, rhat, count = observed("ula4", 2, 1, 50, 10.0)
    coordinates = coordinates_of(scene)
    posterior = posterior_of(coordinates, scene, rhat, count)
    x = coordinates.clip(point_of(coordinates, scene)).expand(-1, -1, chains).contiguous()
    return posterior, x, posterior(x), covariance_factors(posterior, x)


def tables(steps: int, d: int, chains: int, log_uniform: float) -> MoveTables:
    normal = torch.randn(steps, d, chains, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    none = torch.full((steps,), -1), torch.empty(0).double(), torch.empty(0, 2, chains).long()
    return MoveTables(normal, *none, torch.full((steps, chains), log_uniform).double())


def test_what_leaves_the_prior_is_rejected_however_much_is_accepted():
    posterior, x, value, factors = problem(8)
    run = run_chains_by_tensors(posterior, x, value, factors, tables(20, x.shape[1], 8, -1e9), 20)
    assert posterior(run.kept.flatten(2)).isfinite().all()
    assert 0 < run.acceptance.mean() < 1  # only the walls say no


def test_only_what_is_likelier_is_taken_where_chance_never_helps():
    posterior, x, value, factors = problem(8)
    run = run_chains_by_tensors(posterior, x, value, factors, tables(20, x.shape[1], 8, 0.0), 20)
    values = posterior(run.kept.flatten(2)).unflatten(1, (20, 8))
    assert (values.diff(dim=1) >= -1e-9).all() and (run.value > value).all()


def test_a_differential_evolution_move_goes_by_the_difference_of_two_starts():
    posterior, x, value, factors = problem(3)
    x = x + 1e-9 * torch.arange(3).double()  # so near that every move is taken
    pairs = torch.tensor([[[1, 2, 0], [0, 0, 2]]])
    moves = MoveTables(
        torch.zeros(1, x.shape[1], 3).double(), torch.tensor([0]), torch.tensor([0.5]).double(), pairs,
        torch.full((1, 3), -1e9).double(),
    )  # fmt: skip
    x = posterior.coordinates.clip(x)
    for backend in (posterior.backend, None):
        run = (
            backend.run_chains(x, value, factors, moves, 1)
            if backend
            else run_chains_by_tensors(posterior, x, value, factors, moves, 1)
        )
        expected = x + 0.5 * (x[:, :, pairs[0, 0]] - x[:, :, pairs[0, 1]])
        torch.testing.assert_close(run.x, expected, rtol=0, atol=1e-12)

"""Random tables without chance means and covariances."""

import torch

from doamc.posterior.sampling.random_tables import balanced, whitened


def table(rows: int, columns: int) -> torch.Tensor:
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_balanced_chains_have_mean_zero():
    found = balanced(table(10, 3))
    assert found.shape == (10, 3) and found.sum(0).abs().max() < 1e-14
    assert torch.equal(balanced(table(11, 3))[-1], table(11, 3)[-1])  # one that has no partner stays


def test_whitened_chains_have_the_identity_for_covariance():
    found = whitened(table(64, 5))
    torch.testing.assert_close(found.mT @ found / 64, torch.eye(5, dtype=torch.float64))
    assert torch.equal(whitened(table(20, 5)), balanced(table(20, 5)))  # too few to be turned into it

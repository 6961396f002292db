"""Systematic resampling."""

import torch

from doamc.posterior.sampling.resampling import systematic


def test_systematic_resampling_keeps_expected_counts():
    weight = torch.tensor([[0.5, 0.25, 0.0, 0.25], [0.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    comb = (torch.arange(8, dtype=torch.float64) + 0.5) / 8
    counts = torch.stack([torch.bincount(r, minlength=4) for r in systematic(weight, comb)])
    assert counts.tolist() == [[4, 2, 0, 2], [0, 0, 8, 0]]

"""Quantiles of members among samples."""

import math

import torch

from doamc.posterior.report.quantiles import half_width, level_of, quantiles


def test_quantiles_are_those_of_the_members_alone():
    z = torch.randn(2, 3, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    member = torch.rand(2, 50, generator=torch.Generator().manual_seed(1)) < 0.6
    found = quantiles(z, member, [0.05, 0.5, 0.9])
    for b in range(2):
        for value, share in zip(found, (0.05, 0.5, 0.9), strict=True):
            torch.testing.assert_close(value[b], torch.quantile(z[b][:, member[b]], share, dim=1))


def test_half_width_holds_nine_of_ten():
    z = torch.linspace(-1, 1, 201, dtype=torch.float64)[None, None]
    width = half_width(z, torch.zeros(1, 1, dtype=torch.float64), torch.ones(1, 201, dtype=torch.bool))
    torch.testing.assert_close(width, torch.tensor([[0.9]], dtype=torch.float64))


def test_intervals_of_few_independent_samples_hold_what_they_promise():
    """Central intervals of n samples hold another draw with the stated probability, for any distribution."""
    generator, n = torch.Generator().manual_seed(2), 24
    x, truth = torch.randn(20000, 1, n + 1, generator=generator, dtype=torch.float64).exp().split([n, 1], 2)
    everyone = torch.ones(20000, n, dtype=torch.bool)
    # the k-th of n samples stands for a share of (k - 1/2) / n, to the interpolation of `quantiles` (k - 1) / (n - 1)
    levels = [(level_of(share, torch.tensor([n])) * n - 0.5) / (n - 1) for share in (0.1, 0.9)]
    low, high = quantiles(x, everyone, levels)
    held = ((low < truth[..., 0]) & (truth[..., 0] < high)).double().mean().item()
    assert abs(held - 0.8) < 0.012  # four standard deviations
    low, high = quantiles(x, everyone, [0.1, 0.9])
    assert ((low < truth[..., 0]) & (truth[..., 0] < high)).double().mean().item() < 0.76


def test_levels_are_those_of_order_statistics():
    n = torch.tensor([96.0, 12.0])
    for k in (1, 10):  # the k-th smallest has a truth below it with probability k / (n + 1)
        for i, count in enumerate((96, 12)):
            assert abs(float(level_of(k / (count + 1), n)[i]) - (k - 0.5) / count) < 1e-6
    assert level_of(0.5, n).tolist() == [0.5, 0.5] and level_of(0.3, None) == 0.3
    assert level_of(0.999, n).tolist() == [1.0, 1.0]  # that far out there is no sample


def test_every_observation_has_a_quantile_of_its_own():
    z = torch.arange(11.0, dtype=torch.float64).expand(2, 1, 11)
    everyone = torch.ones(2, 11, dtype=torch.bool)
    assert quantiles(z, everyone, [torch.tensor([0.1, 0.75], dtype=torch.float64)])[0][:, 0].tolist() == [1.0, 7.5]
    # 0.9 of 20 independent samples is 0.92 of them, of infinitely many 0.9
    width = half_width(z, torch.zeros(2, 1), everyone, torch.tensor([20.0, math.inf], dtype=torch.float64))
    torch.testing.assert_close(width[:, 0], torch.tensor([9.2, 9.0], dtype=torch.float64))

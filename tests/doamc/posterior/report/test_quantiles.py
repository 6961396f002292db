"""Quantiles of members among samples."""

import torch

from doamc.posterior.report.quantiles import half_width, quantiles


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

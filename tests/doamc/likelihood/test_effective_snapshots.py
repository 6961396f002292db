"""The effective number of snapshots of signals that are correlated in time."""

import math

import pytest
import torch

from doamc.likelihood.effective_snapshots import effective_snapshots


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_effective_snapshots_of_a_first_order_process(rho):
    generator = torch.Generator().manual_seed(1)
    length, batch = 4000, 8
    z = torch.randn(2, batch, length, generator=generator, dtype=torch.float64)
    white = torch.complex(z[0], z[1])
    s = torch.zeros_like(white)
    s[:, 0] = white[:, 0]
    for i in range(1, length):
        s[:, i] = rho * s[:, i - 1] + math.sqrt(1 - rho * rho) * white[:, i]
    y = torch.stack([s, 1j * s], 1)
    found = effective_snapshots(y, y @ y.mH / length, 1)
    expected = length * (1 - rho * rho) / (1 + rho * rho)  # closed form of 1 + 2 sum rho^(2k)
    assert torch.allclose(found, torch.full_like(found, expected), rtol=0.15 if rho else 1e-9)

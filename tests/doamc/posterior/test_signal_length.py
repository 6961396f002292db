import pytest
import torch

from doamc.posterior.signal_length import signal_snapshots


def received(rho, length=2000, batch=24, noise=0.1):
    """One first-order process (B, 4, L) with |rho(k)| = rho^k in white noise."""
    generator = torch.Generator().manual_seed(3)
    w = torch.randn(batch, length + 200, 2, generator=generator, dtype=torch.float64)
    w = torch.view_as_complex(w)
    s = torch.zeros_like(w)
    for t in range(1, w.shape[1]):
        s[:, t] = rho * s[:, t - 1] + (1 - rho**2) ** 0.5 * w[:, t]
    v = torch.view_as_complex(torch.randn(batch, 4, length, 2, generator=generator, dtype=torch.float64))
    return s[:, None, 200:] + noise * v


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_a_first_order_process_in_white_noise_is_worth_its_closed_form(rho):
    y = received(rho)
    worth = signal_snapshots(y, y @ y.mH / y.shape[2], 1)
    expected = y.shape[2] * (1 - rho**2) / (1 + rho**2)  # 1 + 2 sum rho^2k = (1 + rho^2) / (1 - rho^2)
    assert worth.median() == pytest.approx(expected, rel=0.12)

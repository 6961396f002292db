import math

import pytest
import torch

from doamc.snapshots.correlation import effective_lengths


def normal(*shape):
    generator = torch.Generator().manual_seed(3)
    return torch.view_as_complex(torch.randn(*shape, 2, dtype=torch.float64, generator=generator)) / math.sqrt(2)


def of(y, p=1):
    return effective_lengths(y, y @ y.mH / y.shape[2], p)


def test_white_snapshots_all_count():
    found = of(normal(20, 4, 500))
    for part in (found.signal, found.cross, found.noise):
        assert float((part == 500).double().mean()) >= 0.85  # false alarms, one lag in a thousand


def test_few_snapshots_all_count():
    found = of(normal(3, 4, 16))
    assert (found.signal == 16).all() and (found.noise == 16).all()


@pytest.mark.parametrize("noise_too", [False, True])
def test_a_signal_that_fills_a_fifth_of_the_band(noise_too):
    def filtered(x):
        return torch.fft.ifft(torch.fft.fft(x) * (torch.fft.fftfreq(1000).abs() <= 0.1))

    v = torch.ones(4, 1, dtype=torch.complex128)
    noise = 0.1 * normal(20, 4, 1000)
    y = v @ filtered(normal(20, 1, 1000)) + (filtered(noise) if noise_too else noise)
    found = of(y)
    assert float(found.signal.mean()) == pytest.approx(200, rel=0.15)
    assert float(found.noise.mean()) == pytest.approx(200 if noise_too else 1000, rel=0.15)
    assert float(found.cross.mean()) == pytest.approx(200 if noise_too else 1000, rel=0.15)

"""The effective number of snapshots of signals and noise that are correlated in time."""

import math

import pytest
import torch

from doamc.snapshots import make_batch


def normal(*shape, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return torch.view_as_complex(torch.randn(*shape, 2, dtype=torch.float64, generator=generator)) / math.sqrt(2)


def of(y):
    return make_batch(y).effective


def first_order(rho, *shape):
    """x_i = rho x_(i-1) + w_i, of power 1."""
    s = math.sqrt(1 - rho * rho) * normal(*shape)
    s[..., 0] /= math.sqrt(1 - rho * rho)
    for i in range(1, shape[-1]):
        s[..., i] += rho * s[..., i - 1]
    return s


def test_white_snapshots_all_count():
    effective = of(normal(200, 4, 500))
    found = effective.lengths(1)
    for part in (found.signal, found.cross, found.noise, effective.of_signals(1)):
        assert float((part == 500).double().mean()) >= 0.98  # false alarms, one in a thousand


def test_few_snapshots_all_count():
    found = of(normal(3, 4, 15)).lengths(1)
    assert (found.signal == 15).all() and (found.noise == 15).all()


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.9])
def test_signals_of_first_order(rho):
    s = first_order(rho, 8, 4000)
    found = of(torch.stack([s, 1j * s], 1)).of_signals(1)
    expected = 4000 * (1 - rho * rho) / (1 + rho * rho)  # closed form of 1 + 2 sum rho^(2k)
    assert torch.allclose(found, torch.full_like(found, expected), rtol=0.15 if rho else 1e-9)


@pytest.mark.parametrize(("rho", "length"), [(0.5, 64), (0.8, 64), (0.9, 200), (0.9, 2000)])
def test_noise_of_few_effective_snapshots(rho, length):
    """Three elements: the average over 400 batches is within a tenth, however few there are."""
    lag = torch.arange(1, length, dtype=torch.float64)
    expected = length / (1 + 2 * float(((1 - lag / length) * rho ** (2 * lag)).sum()))
    found = of(first_order(rho, 400, 3, length)).lengths(0).noise
    assert float(found.mean()) == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("noise_too", [False, True])
def test_a_signal_that_fills_a_fifth_of_the_band(noise_too):
    def filtered(x):
        return torch.fft.ifft(torch.fft.fft(x) * (torch.fft.fftfreq(1000).abs() <= 0.1))

    v = torch.ones(4, 1, dtype=torch.complex128)
    noise = 0.1 * normal(20, 4, 1000)
    y = v @ filtered(normal(20, 1, 1000)) + (filtered(noise) if noise_too else noise)
    found = of(y).lengths(1)
    assert float(found.signal.mean()) == pytest.approx(200, rel=0.1)
    assert float(found.noise.mean()) == pytest.approx(200 if noise_too else 1000, rel=0.1)
    assert float(found.cross.mean()) == pytest.approx(200 if noise_too else 1000, rel=0.1)


def test_signals_at_two_frequencies_are_no_snapshots_together():
    """Each is a carrier, of one effective snapshot; with each other they are as good as uncorrelated."""
    turn = 2j * math.pi * torch.arange(400, dtype=torch.float64)
    s = torch.stack([torch.exp(0.1 * turn), 0.5 * torch.exp(0.25 * turn)])
    a = torch.exp(1j * torch.tensor([[0.0, 0.0], [1.0, -1.0], [2.0, -2.0], [3.0, -3.0]]).double())
    effective = of((a @ s)[None] + 0.01 * normal(1, 4, 400))
    assert float(effective.of_signals(2)) < 2 and float(effective.lengths(2).noise) == 400


def test_each_observation_has_its_own_wherever_it_stands():
    y = torch.cat([normal(2, 3, 300), first_order(0.9, 2, 3, 300)])
    batch = make_batch(y)
    whole = batch.effective
    part = batch.select(torch.tensor([3, 1]))
    assert "effective" in vars(part)  # found once a batch
    again = of(y[[3, 1]])
    for p in range(3):
        assert torch.equal(part.effective.of_signals(p), whole.of_signals(p)[[3, 1]])
        torch.testing.assert_close(again.of_signals(p), whole.of_signals(p)[[3, 1]], rtol=1e-5, atol=0)
        torch.testing.assert_close(again.lengths(p).noise, whole.lengths(p).noise[[3, 1]], rtol=1e-5, atol=0)

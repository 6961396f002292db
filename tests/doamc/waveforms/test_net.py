"""What holds for any weights: equivariance, independence of items, limits of the noise, and the filter's invariance."""

import pytest
import torch

from doamc.errors import EstimatorError
from doamc.waveforms.denoiser import SIGMA, WaveformDenoiser
from doamc.waveforms.draws import noise, turn
from doamc.waveforms.layers import ComplexConvolution, pairs, squash, times
from doamc.waveforms.net import WINDOW, WaveformNet, WaveformNetConfig
from doamc.waveforms.spectral import SpectralFilter

SMALL = WaveformNetConfig(width=8, streams=4, blocks=3, context=8)


@pytest.fixture(scope="module")
def denoiser() -> WaveformDenoiser:
    """Random weights everywhere, as no training leaves them."""
    torch.manual_seed(0)
    net = WaveformNet(SMALL)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn(p.shape, dtype=torch.float32))
    return WaveformDenoiser(net.eval().requires_grad_(False))


def received(count: int, length: int, seed: int = 0) -> torch.Tensor:
    return 1.2 * noise((count, length), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("length", [1, 2, 3, 24, 129, WINDOW, WINDOW + 1, 700, 3000])
def test_any_length(denoiser, length):
    mean, variance = denoiser.posterior(received(2, length), 0.4)
    assert mean.shape == variance.shape == (2, length)
    assert bool(mean.isfinite().all()) and bool((variance > 0).all())


def test_a_turn_of_phase_turns_the_mean_and_nothing_else(denoiser):
    x, sigma = received(4, 200), torch.tensor([0.05, 0.3, 1.0, 4.0])
    mean, variance = denoiser.posterior(x, sigma)
    for cycles in (0.1, 0.25, 0.77):
        phasor = turn(torch.tensor(cycles))
        turned, same = denoiser.posterior(x * phasor, sigma)
        assert torch.allclose(turned, mean * phasor, atol=2e-3) and torch.allclose(same, variance, rtol=2e-2)


def test_items_do_not_see_each_other(denoiser):
    x, sigma = received(70, 40), torch.linspace(0.05, 3, 70)
    together = denoiser.denoise(x, sigma)
    for i in (0, 33, 69):
        assert torch.allclose(denoiser.denoise(x[i], sigma[i]), together[i], atol=1e-4)


def test_leading_axes_and_levels_broadcast(denoiser):
    x = received(6, 32).reshape(2, 3, 32)
    every = denoiser.denoise(x, torch.tensor([0.2, 0.5, 1.0]))
    assert every.shape == x.shape
    assert torch.allclose(every[:, 1], denoiser.denoise(x[:, 1], 0.5), atol=1e-4)
    assert denoiser.denoise(x.to(torch.complex128), 0.5).dtype == torch.complex128


def test_limits_of_the_noise(denoiser):
    x = received(2, 64).to(torch.complex128)
    assert torch.allclose(denoiser.denoise(x, 1e-6), x, atol=1e-4)
    far = denoiser.denoise(300 * x, 300.0)
    assert torch.allclose(far, 300 * x / (1 + 300.0**2), atol=0.02)
    assert torch.allclose(denoiser.denoise(x, SIGMA[0] * 0.999), denoiser.denoise(x, SIGMA[0]), atol=1e-3)


def test_the_mean_has_a_slope(denoiser):
    """Guidance through the denoiser needs derivatives by x, also where it has silent samples."""
    x = received(2, 48)
    x[0, 10:30] = 0
    x.requires_grad_()
    denoiser.denoise(x, 0.5).abs().square().sum().backward()
    assert x.grad is not None and bool(x.grad.isfinite().all()) and float(x.grad.abs().sum()) > 0


@pytest.mark.parametrize("x", [torch.zeros(2, 16, dtype=torch.complex64), torch.full((1, 16), 1e6 + 0j)])
def test_silence_and_far_too_much(denoiser, x):
    mean, variance = denoiser.posterior(x, 0.1)
    assert bool(mean.isfinite().all()) and bool(variance.isfinite().all())


@pytest.mark.parametrize(
    ("x", "sigma"), [(torch.ones(2, 8), 0.5), (torch.ones(2, 0) + 0j, 0.5), (torch.ones(2, 8) + 0j, 0.0)]
)
def test_what_makes_no_sense_is_refused(denoiser, x, sigma):
    with pytest.raises(EstimatorError, match="expected complex samples"):
        denoiser.denoise(x, sigma)


def test_the_filter_follows_a_carrier_offset():
    """By a bin of its grid, exactly: gains move with the spectrum."""
    torch.manual_seed(0)
    layer, x = SpectralFilter(2), received(3, 128)
    offset = turn(5 / 256 * torch.arange(128))
    with torch.no_grad():
        one, passed = layer(x, torch.full((3, 1), 0.1))
        two, same = layer(x * offset, torch.full((3, 1), 0.1))
    assert torch.allclose(two, one * offset, atol=1e-4) and torch.allclose(passed, same, atol=1e-5)


def test_streams_as_pairs_are_complex_numbers():
    z, w = received(2, 12).reshape(2, 3, 4), received(2, 12, 1).reshape(2, 3, 4)
    assert torch.allclose(times(pairs(z), pairs(w)), pairs(z * w), atol=1e-6)
    assert float(torch.complex(*squash(1000 * pairs(z)).chunk(2, 1)).abs().max()) <= 4.001
    layer = ComplexConvolution(3, 2, 3)
    taps, padded = torch.complex(*layer.taps.detach()), torch.nn.functional.pad(z, (1, 1))
    expected = sum(torch.einsum("oi,mit->mot", taps[..., k], padded[..., k : k + 4]) for k in range(3))
    assert torch.allclose(layer(pairs(z)).detach(), pairs(expected), atol=1e-5)

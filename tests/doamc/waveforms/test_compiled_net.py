"""The compiled loops of the network against the tensor operations that they replace, in all variants."""

import pytest
import torch

from doamc.errors import KernelError
from doamc.learning.checkpoint import find_weights
from doamc.waveforms.compiled_net import CompiledNet, compiled_net
from doamc.waveforms.denoiser import KIND, WaveformDenoiser
from doamc.waveforms.draws import noise
from doamc.waveforms.kinds import KINDS, draw_kind, noisy
from doamc.waveforms.net import WINDOW, WaveformNet, WaveformNetConfig
from doamc.waveforms.net_loops import open_net_loops

try:
    LOOPS, VARIANTS = open_net_loops()
except OSError:
    LOOPS, VARIANTS = None, []
compiled = pytest.mark.skipif(LOOPS is None, reason="no compiled loops here")


def random_net(config: WaveformNetConfig) -> WaveformNet:
    """Random weights everywhere, as no training leaves them."""
    torch.manual_seed(0)
    net = WaveformNet(config)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.1 * torch.randn(p.shape, dtype=torch.float32))
    return net.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def shipped() -> WaveformNet:
    return WaveformDenoiser.open(find_weights(KIND)).net


def agree(net: WaveformNet, variant: str, x: torch.Tensor, sigma: torch.Tensor, within: float) -> None:
    """Whether both are the same but for the rounding of single precision, which the network makes larger."""
    with torch.no_grad():
        for found, expected in zip(CompiledNet(net, LOOPS, variant)(x, sigma), net(x, sigma), strict=True):
            assert found.dtype == expected.dtype and found.shape == expected.shape
            torch.testing.assert_close(found, expected, rtol=within, atol=within)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_shipped_network_says_what_tensors_say(shipped, variant, kind):
    """Of every kind, from noise that hides it to 35 dB less; a thousandth of what a Wiener filter leaves."""
    generator = torch.Generator().manual_seed(1)
    sigma = 10 ** -torch.linspace(-0.5, 1.75, 20)[:, None]
    x = noisy(draw_kind(kind, 20, 200, generator), sigma[:, 0], generator)
    agree(shipped, variant, x, sigma, 2e-3)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("length", [1, 2, 3, 15, 16, 17, 63, 64, 65, 129, WINDOW])
def test_windows_of_any_length(shipped, variant, length):
    x = 1.2 * noise((3, length), torch.Generator().manual_seed(length))
    agree(shipped, variant, x, torch.tensor([[0.1], [0.5], [2.0]]), 2e-3)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "config", [WaveformNetConfig(width=7, streams=3, blocks=9, context=5), WaveformNetConfig(3, 20, 1, 2)]
)
def test_networks_of_any_size(variant, config):
    x = 1.2 * noise((35, 50), torch.Generator().manual_seed(0))
    agree(random_net(config), variant, x, torch.linspace(0.05, 3, 35)[:, None], 2e-3)


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_waveform_does_not_depend_on_the_others_of_a_call(shipped, variant):
    """To the last bit, beside one that is no number, too."""
    x, sigma = noise((40, 100), torch.Generator().manual_seed(0)), torch.full((40, 1), 0.3)
    x[3, 5] = torch.nan
    net = CompiledNet(shipped, LOOPS, variant)
    together = net(x, sigma)
    assert not bool(together[0][3].isfinite().all())
    for i in (2, 4, 19, 39):
        alone = net(x[i : i + 1], sigma[i : i + 1])
        assert all(torch.equal(a[0], b[i]) and bool(a.isfinite().all()) for a, b in zip(alone, together, strict=True))


@compiled
@pytest.mark.parametrize("variant", VARIANTS)
def test_of_silence_nothing_is_said(shipped, variant):
    """A turn of phase turns the mean, so that of zeros is 0; rounding of the tensors makes 0.02 of it."""
    x = torch.zeros(2, 40, dtype=torch.complex64)
    x[1, 20:] = 1.0
    agree(shipped, variant, x[1:], torch.full((1, 1), 0.1), 2e-3)
    f, log_variance = CompiledNet(shipped, LOOPS, variant)(x, torch.full((2, 1), 0.1))
    assert float(f[0].abs().max()) < 1e-5 and bool(log_variance.isfinite().all())


@compiled
def test_what_the_loops_do_not_take_is_refused(shipped):
    net = CompiledNet(shipped, LOOPS, VARIANTS[-1])
    with pytest.raises(KernelError, match="refused 1 waveforms of 257 samples"):
        net(torch.ones(1, WINDOW + 1, dtype=torch.complex64), torch.ones(1, 1))
    with pytest.raises(KernelError, match="expected x as C-contiguous complex64"):
        net(torch.ones(1, 8, dtype=torch.complex128), torch.ones(1, 1))


def test_tensors_where_loops_are_not_wanted_and_where_a_network_may_change(shipped, monkeypatch):
    assert compiled_net(WaveformNet(WaveformNetConfig(8, 4, 1, 8))) is None
    monkeypatch.setenv("DOAMC_LOOPS", "tensors")
    assert compiled_net(shipped) is None

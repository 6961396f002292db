"""Training waveforms have the properties of their kinds, measured on what was drawn."""

import math

import pytest
import torch

from doamc.errors import SpecificationError
from doamc.waveforms import pulses
from doamc.waveforms.draws import turn
from doamc.waveforms.kinds import KINDS, draw_kind, draw_training, noisy


def drawn(kind: str, count: int = 200, length: int = 128, seed: int = 0) -> torch.Tensor:
    return draw_kind(kind, count, length, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("length", [1, 2, 17, 128])
def test_unit_power_any_length_and_the_same_of_the_same_seed(kind, length):
    s = drawn(kind, 300, length)
    assert s.shape == (300, length) and s.dtype == torch.complex64 and bool(s.isfinite().all())
    # the kinds whose power is random have a relative standard deviation of at most 1 a sample
    assert float(s.abs().square().mean()) == pytest.approx(1, abs=5 / math.sqrt(300 * length))
    assert torch.equal(s, drawn(kind, 300, length))


@pytest.mark.parametrize("kind", list(KINDS))
def test_phase_is_uniform(kind):
    # the mean over 2000 draws of a turn of unit modulus has a standard deviation of 0.022
    assert float((drawn(kind, 2000, 8)[:, 0] / drawn(kind, 2000, 8)[:, 0].abs()).mean().abs()) < 0.1


@pytest.mark.parametrize(("kind", "order"), [("bpsk", 2), ("qpsk", 4), ("psk8", 8)])
def test_powers_of_phase_shift_keying_are_tones(kind, order):
    tone = drawn(kind).to(torch.complex128) ** order
    step = tone[:, 1:] * tone[:, :-1].conj()
    assert float((step - step[:, :1]).abs().max()) < 1e-3


@pytest.mark.parametrize("kind", ["bpsk", "qpsk", "psk8", "fsk", "cm", "fm", "cw"])
def test_constant_modulus(kind):
    assert float((drawn(kind).abs() - 1).abs().max()) < 1e-4


def test_moments_of_16_qam_and_gauss():
    # E|s|^4 of 16-QAM is 1.32, of a circular Gaussian 2; 25600 samples
    assert float(drawn("qam16").abs().pow(4).mean()) == pytest.approx(1.32, abs=0.03)
    assert float(drawn("gauss").abs().pow(4).mean()) == pytest.approx(2.0, abs=0.12)


@pytest.mark.parametrize("kind", ["qpsk-shaped", "fsk", "cm", "fm", "am", "cw", "band-noise"])
def test_neighbours_are_correlated(kind):
    s = drawn(kind, 400)
    each = (s[:, 1:] * s[:, :-1].conj()).mean(1).abs()
    assert (
        float(each.mean()) > 0.3 > float((drawn("gauss")[:, 1:] * drawn("gauss")[:, :-1].conj()).mean(1).abs().mean())
    )


@pytest.mark.parametrize("rolloff", [0.2, 0.35, 0.5])
def test_root_raised_cosine_through_itself_is_the_raised_cosine(rolloff):
    """The matched filter makes the pulse of Nyquist of it, for which another formula stands in `pulses`."""
    t = torch.arange(-40 * 16, 40 * 16 + 1, dtype=torch.float64) / 16
    b = torch.tensor(rolloff, dtype=torch.float64)
    root, lags = pulses.root_raised_cosine(t, b), torch.arange(0, 48)
    through = torch.stack([(root[: len(t) - n] * root[n:]).sum() / 16 for n in lags.tolist()])
    expected = pulses.raised_cosine(lags.double() / 16, b)
    assert float((through - expected).abs().max()) < 2e-3
    assert float(expected[16::16].abs().max()) < 1e-3  # no crosstalk of symbols


@pytest.mark.parametrize("ramp", [pulses.linear_ramp, lambda t: pulses.gaussian_ramp(t, torch.tensor(0.3))])
def test_phase_pulses_rise_from_0_to_1(ramp):
    t = torch.linspace(-6, 6, 241)
    value = ramp(t)
    assert float(value[0]) == pytest.approx(0, abs=1e-5) and float(value[-1]) == pytest.approx(1, abs=1e-5)
    assert bool((value.diff() >= -1e-6).all()) and float(value[120]) == pytest.approx(0.5, abs=1e-5)


def test_phase_of_frequency_shift_keying_adds_up():
    """Minimum shift keying turns by a quarter in every symbol."""
    sent = torch.tensor([[1.0, -1.0] * 30])
    sps, timing = torch.tensor([[4.0]]), torch.tensor([[0.5]])
    phase = 0.25 * pulses.phase_of(sent, 64, sps, timing, pulses.linear_ramp)
    turned = phase[0, 4::4].diff()
    assert torch.allclose(turned.abs(), torch.full_like(turned, 0.25))


def test_training_draws_hold_bursts_and_levels_within_a_decibel_or_so():
    generator = torch.Generator().manual_seed(3)
    s = draw_training(2000, 64, generator)
    assert s.shape == (2000, 64) and float(s.abs().square().mean()) == pytest.approx(1, abs=0.03)
    silent = (s.abs() < 1e-6).float().mean(1) > 0.15
    assert 0.05 < float(silent.float().mean()) < 0.12  # a tenth, less those that would be silent everywhere


def test_noise_has_its_level():
    x = noisy(torch.zeros(2, 20000, dtype=torch.complex64), torch.tensor([0.5, 2.0]), torch.Generator().manual_seed(0))
    assert torch.allclose(x.abs().square().mean(1), torch.tensor([0.25, 4.0]), rtol=0.05)


def test_an_unknown_kind_is_refused():
    with pytest.raises(SpecificationError, match=r"waveform must be one of bpsk, .*found 'chirp'"):
        draw_kind("chirp", 1, 8, torch.Generator())


def test_turn():
    assert torch.allclose(turn(torch.tensor([0.0, 0.25, 0.5])), torch.tensor([1, 1j, -1]), atol=1e-6)

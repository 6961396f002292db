"""Waveforms: unit power, and the band that they promise."""

import numpy as np
import pytest

from doamc.bands.simulated.waveforms import KINDS, draw_waveform
from doamc.errors import SpecificationError

RATE_HZ, COUNT = 1e6, 240_000  # four slots on, four off
WIDTHS = {"cw": 200.0, "nfm": 12.5e3, "4fsk": 12.5e3, "4fsk-tdma": 12.5e3, "wfm": 180e3, "qpsk": 125e3, "ofdm": 400e3}


def wave(kind, seed=0):
    return draw_waveform(kind, np.random.default_rng(seed), COUNT, RATE_HZ, WIDTHS[kind])


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_waveform_has_unit_power_and_lies_in_its_band(kind):
    s = wave(kind)
    share_on = 0.48 if kind == "4fsk-tdma" else 1.0  # slots less their guard times
    assert abs((np.abs(s) ** 2).mean() / share_on - 1) < 0.02
    power = np.abs(np.fft.fft(s * np.hanning(COUNT))) ** 2
    inside = np.abs(np.fft.fftfreq(COUNT, 1 / RATE_HZ)) <= WIDTHS[kind] / 2
    assert power[inside].sum() > 0.95 * power.sum()


def test_the_same_seed_gives_the_same_waveform():
    assert np.array_equal(wave("4fsk", 3), wave("4fsk", 3))
    assert not np.array_equal(wave("4fsk", 3), wave("4fsk", 4))


def test_an_unknown_kind_is_refused():
    with pytest.raises(SpecificationError, match="kind must be one of cw, nfm"):
        draw_waveform("am", np.random.default_rng(0), 10, 1e6, 1e3)

"""The spectrum for display: powers in dBFS where they belong, the floor of the noise, and bounds."""

import numpy as np
import pytest

from doamc.bands import spectrum as spectrum_module
from doamc.bands.finder import SignalFinder
from doamc.bands.live import Told
from doamc.bands.spectrum import LEAST_DB, BandSpectrum
from doamc.errors import PublishError
from doamc.estimates import validate
from tests.doamc.bands.captures import CENTRE_HZ, grid, noise

TOLD = Told("ula4", "music", (0, 1), start_s=5.0, time=1000.0)


def sent(message, seq=0):
    """As `zmq_publisher` sends it."""
    lists = {k: message[k] and message[k].tolist() for k in ("floor_dbfs",) if message[k] is None}
    lists |= {k: message[k].tolist() for k in ("power_dbfs", "floor_dbfs") if message[k] is not None}
    return message | lists | {"seq": seq, "dropped_slices": 0}


def spectra(samples, period_s=0.02, finder=None):
    finder = finder or SignalFinder(grid(), len(samples))
    maker = BandSpectrum(finder, TOLD, period_s)
    out = []
    for band in finder.spectra.push(samples):
        finder.take(band)
        message = maker.take(band)
        if message is not None:
            validate(sent(message))
            out.append(message)
    return out


def test_a_carrier_and_noise_have_their_powers_in_dbfs():
    """A carrier of amplitude 0.1 is -20 dBFS; noise of -30 dBFS in all is 16 dB less in each of forty bins."""
    g = grid()
    t = np.arange(40 * g.slice_samples) / g.sample_rate_hz
    carrier = 0.1 * np.exp(2j * np.pi * 7.5 * g.bin_hz * t)
    y = (10 ** (-30 / 20) * noise(2, len(t)) + carrier).astype(np.complex64)
    last = spectra(y)[-1]
    at = int(last["power_dbfs"].argmax())
    assert last["low_hz"] + (at + 0.5) * last["step_hz"] == pytest.approx(CENTRE_HZ + 7.5 * g.bin_hz, abs=1.0)
    assert last["power_dbfs"][at] == pytest.approx(-20.0, abs=0.2)
    level = -30 - 10 * np.log10(g.n_bins)
    assert last["floor_dbfs"] == pytest.approx(np.full(g.n_bins, level), abs=1.0)
    assert np.mean(last["floor_dbfs"]) == pytest.approx(level, abs=0.2)
    assert last["step_hz"] == last["resolution_hz"] == g.bin_hz and last["low_hz"] == CENTRE_HZ - 120e3
    assert (last["frequency_hz"], last["sample_rate_hz"]) == (CENTRE_HZ, 240e3)


def test_a_message_is_the_mean_of_whole_slices_and_there_are_no_more_than_were_asked_for():
    g = grid()
    y = noise(2, 10 * g.slice_samples + g.n_fft)
    one = spectra(y, 0.02)
    three = spectra(y, 1 / 20)
    assert [m["slices"] for m in one] == [1] * 10 and [m["slices"] for m in three] == [3, 3, 3]
    for m, parts in zip(three, (one[:3], one[3:6], one[6:9]), strict=True):
        mean = np.mean([10 ** (p["power_dbfs"] / 10) for p in parts], 0)
        np.testing.assert_allclose(m["power_dbfs"], 10 * np.log10(mean), atol=0.11)  # tenths, rounded twice
        assert (m["start_s"], m["stop_s"]) == (parts[0]["start_s"], parts[2]["stop_s"])
    assert one[1]["start_s"] == pytest.approx(5.0 + g.slice_s) and one[1]["time"] == pytest.approx(1000.0 + g.slice_s)
    assert spectra(y, 0.0) == []


def test_more_bins_than_a_reader_takes_are_joined_by_their_greatest(monkeypatch):
    g = grid()
    y = noise(2, 2 * g.slice_samples + g.n_fft)
    (whole, *_), n = spectra(y), g.n_bins
    monkeypatch.setattr(spectrum_module, "MOST_VALUES", 15)
    (joined, *_) = spectra(y)
    width = -(-n // 15)
    groups = [whole["power_dbfs"][k : k + width] for k in range(0, n, width)]
    np.testing.assert_allclose(joined["power_dbfs"], [p.max() for p in groups])
    assert len(joined["power_dbfs"]) == len(joined["floor_dbfs"]) <= 15
    assert joined["step_hz"] == width * g.bin_hz and joined["resolution_hz"] == g.bin_hz
    assert joined["low_hz"] == whole["low_hz"]


def test_a_band_without_power_is_told_at_the_least_level():
    (first, *_) = spectra(np.zeros((2, 2 * grid().slice_samples + grid().n_fft), np.complex64))
    assert set(first["power_dbfs"].tolist()) == {LEAST_DB} and first["floor_dbfs"] is None


def test_a_floor_of_another_length_is_refused():
    message = sent(spectra(noise(2, 2 * grid().slice_samples + grid().n_fft))[0])
    with pytest.raises(PublishError, match="as long as power_dbfs"):
        validate(message | {"floor_dbfs": [0.0]})

"""The detector: false alarms of noise, weak signals in slices together, and what it counts as what."""

import numpy as np
import torch

from doamc.bands.detector import Detector, dilated, exceeds, spread
from doamc.bands.spectra import SpectralCovariances
from tests.doamc.bands.captures import grid, noise


def found_of(y):
    g = grid()
    detector = Detector(g, len(y))
    return [detector(b) for b in SpectralCovariances(g, len(y)).push(y)]


def with_tone(count, snr_db, on=slice(None)):
    """Four channels of noise with a tone at 45 kHz; snr_db: in a bin of 6 kHz."""
    g = grid()
    y = noise(4, count * g.slice_samples)
    t = np.arange(y.shape[1]) / g.sample_rate_hz
    wave = np.sqrt(10 ** (snr_db / 10) * g.bin_hz / g.sample_rate_hz) * np.exp(2j * np.pi * 45_100 * t)
    mask = np.zeros(len(t))
    mask[on] = 1
    return y + (np.exp(1j * np.arange(4))[:, None] * wave * mask).astype(np.complex64)


def test_four_seconds_of_noise_hold_nothing():
    """Forty bins for four seconds: 0.0006 false alarms are expected."""
    found = found_of(noise(4, 200 * grid().slice_samples, 3))
    assert not any(bool((f.now | f.lasting).any()) for f in found)


def test_a_tone_is_found_in_its_bin_in_every_slice():
    g = grid()
    for f in found_of(with_tone(10, 6.0)):
        assert f.now.nonzero()[:, 0].tolist() == [int((45_100 + 120_000) / g.bin_hz)]


def test_a_signal_too_weak_for_one_slice_is_found_in_eight():
    """-9 dB in a bin: the largest eigenvalue is 1.5 + noise where single slices need 1.7, and eight together 1.2."""
    found = found_of(with_tone(30, -9.0))
    k = int(165_100 / grid().bin_hz)
    assert sum(bool(f.now[k]) for f in found) < 15
    assert all(bool(f.lasting[k] | f.now[k]) for f in found[12:])


def test_what_has_ended_is_not_lasting():
    g = grid()
    found = found_of(with_tone(20, 10.0, slice(0, 6 * g.slice_samples)))
    assert not any(bool(f.lasting.any() | f.now.any()) for f in found[7:])


def test_exceeding_is_what_eigenvalues_say():
    z = torch.randn(50, 4, 6, dtype=torch.complex128, generator=torch.Generator().manual_seed(1))
    r = z @ z.mH / 6
    largest = torch.linalg.eigvalsh(r)[:, -1]
    assert torch.equal(exceeds(r, 2.5), largest > 2.5)


def test_masks_spread():
    m = torch.tensor([False, True, False, False])
    assert spread(m, 2).tolist() == [False, True, True, False, False]
    assert dilated(m).tolist() == [True, True, True, False]

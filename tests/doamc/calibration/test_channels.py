"""Alignment of channels: against the Cramér-Rao bound, with delays, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doamc.calibration import align_channels
from doamc.errors import CalibrationError
from tests.doamc.calibration.signals import bound, normal, received

GAINS = np.array([1.0, 0.7, 1.6, 0.9]) * np.exp(1j * np.radians([0.0, 170.0, -95.0, 20.0]))


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 30.0])
def test_gains_and_phases_reach_the_bound_and_the_deviation_told_is_the_bound(snr_db):
    size, trials = 4000, 150
    found = [align_channels(received(GAINS, size, snr_db, seed), min_ratio_db=3.0) for seed in range(trials)]
    error = np.log(np.array([f.gains for f in found])[:, 1:] / GAINS[1:])
    phase, gain = bound(GAINS, size, snr_db)
    # 450 errors of each kind: their mean square has a deviation of sqrt(2 / 450) = 7 %, their root 3.3 %: 4 of them
    assert np.sqrt((error.imag**2 / phase[1:] ** 2).mean()) == pytest.approx(1.0, abs=0.14)
    assert np.sqrt((error.real**2 / gain[1:] ** 2).mean()) == pytest.approx(1.0, abs=0.14)
    told = np.radians([f.phase_std_deg for f in found])
    assert told.mean(0)[1:] == pytest.approx(phase[1:], rel=0.03)
    assert (told[:, 0] == 0).all() and all(f.gains[0] == 1 for f in found)


def test_the_ratio_is_that_of_the_two_largest_eigenvalues():
    found = align_channels(received(GAINS, 200_000, 20.0, 1))
    # p |g|^2 + s2 over s2; the largest of three equal noise eigenvalues is up to 2 sqrt(3 / L) = 0.8 % high
    expected = 10 * np.log10((np.abs(GAINS) ** 2).sum() / 0.01 + 1)
    assert found.ratio_db == pytest.approx(expected, abs=0.06)
    assert found.n_samples == 200_000


def test_one_emitter_through_a_known_response():
    rng = np.random.default_rng(3)
    response = (np.eye(4) + 0.3 * normal(rng, 4, 4)) @ np.exp(1j * np.pi * np.arange(4) * np.sin(0.6))
    samples = received(GAINS, 20_000, 30.0, 5, response=response)
    found = align_channels(samples, 7j * response)  # its scale does not matter
    wrong = align_channels(samples)
    deviation = np.radians(found.phase_std_deg[1:])
    assert (np.abs(np.angle(found.gains / GAINS))[1:] < 5 * deviation).all() and deviation.max() < 2e-3
    assert np.abs(np.angle(wrong.gains / GAINS)).max() > 0.1
    assert found.weights * found.gains == pytest.approx(np.ones(4))


def test_an_offset_that_receivers_leak_does_not_disturb():
    samples = received(GAINS, 20_000, 30.0)
    shifted = samples + np.array([3, -2j, 1 + 1j, -4], np.complex64)[:, None]
    assert align_channels(shifted).gains == pytest.approx(align_channels(samples).gains, abs=1e-5)


@settings(max_examples=10)
@given(lags=st.lists(st.integers(-100, 100), min_size=3, max_size=3), seed=st.integers(0, 10**6))
def test_delays_are_found_exactly_and_undone(lags, seed):
    lags = np.array([0, *lags])
    found = align_channels(received(GAINS, 8192, 10.0, seed, lags), max_lag=100)
    assert found.lag_samples.tolist() == lags.tolist()
    assert (found.delays + lags == lags.max()).all() and found.delays.min() == 0
    error = np.angle(found.gains / GAINS)[1:]
    # the bound's rms is 0.01 rad here; five times that
    assert np.abs(error).max() < 5 * bound(GAINS, 8192 - 200, 10.0)[0].max()
    assert found.n_samples == 8192 - max(lags.max(), 0) + min(lags.min(), 0)


def test_delays_with_a_fraction_are_rounded():
    wide = received([1.0], 40_000, 60.0)[0]
    spectrum = np.fft.fft(wide) * np.exp(-2j * np.pi * np.fft.fftfreq(wide.size) * 7.3)
    found = align_channels(np.stack([wide, np.fft.ifft(spectrum)]), max_lag=20, min_ratio_db=3.0)
    assert found.lag_samples.tolist() == [0, 7]


def test_noise_is_refused_with_the_ratio():
    rng = np.random.default_rng(0)
    with pytest.raises(CalibrationError, match=r"expected eigenvalues 10 dB apart, found 0\.\d dB"):
        align_channels(normal(rng, 4, 10_000))


def test_two_emitters_are_refused():
    rng = np.random.default_rng(0)
    steering = np.exp(1j * np.pi * np.outer(np.arange(4), np.sin([0.3, -0.5])))
    with pytest.raises(CalibrationError, match="do not see one signal"):
        align_channels(steering @ normal(rng, 2, 10_000), min_ratio_db=6.0)


def test_clocks_that_drift_are_refused():
    samples = received(GAINS, 50_000, 40.0)
    samples[2] *= np.exp(2j * np.pi * np.linspace(0, 1, 50_000))  # one turn meanwhile
    with pytest.raises(CalibrationError, match="clocks that do not drift"):
        align_channels(samples)


def test_a_dead_channel_is_named():
    samples = received(GAINS, 1000, 20.0)
    samples[2] = 0
    with pytest.raises(CalibrationError, match="channel 2 is dead"):
        align_channels(samples)


def test_a_channel_without_the_signal_is_named():
    gains = GAINS.copy()
    gains[1] = 0
    samples = received(gains, 10**5, 40.0)  # loud enough not to be dead, but of nothing but noise
    with pytest.raises(CalibrationError, match="channel 1 does not see"):
        align_channels(samples)


def test_lags_without_a_common_signal_are_refused():
    samples = normal(np.random.default_rng(1), 3, 8192)
    with pytest.raises(CalibrationError, match="nothing in common within 50 samples"):
        align_channels(samples, max_lag=50)
    far = received(GAINS, 8192, 10.0, lags=[0, 0, 60, 0])
    with pytest.raises(CalibrationError, match="larger max_lag"):
        align_channels(far, max_lag=50)


def test_a_signal_too_narrow_for_lags_is_refused():
    tone = np.exp(2j * np.pi * 0.1 * np.arange(8192))
    rng = np.random.default_rng(1)
    with pytest.raises(CalibrationError, match="use noise as wide as the band"):
        align_channels(tone + 0.1 * normal(rng, 3, 8192), max_lag=50)


@pytest.mark.parametrize(
    ("samples", "options"),
    [
        (np.ones(10, complex), {}), (np.ones((1, 100), complex), {}), (np.ones((4, 7), complex), {}),
        (np.full((4, 100), np.nan + 0j), {}), (received(GAINS, 100, 10.0), {"max_lag": 25}),
        (received(GAINS, 100, 10.0), {"response": np.ones(3)}),
        (received(GAINS, 100, 10.0), {"response": np.array([1, 0, 1, 1])}),
        (received(GAINS, 100, 10.0), {"max_lag": -1}),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused(samples, options):
    with pytest.raises(CalibrationError, match="expected"):
        align_channels(samples, **options)

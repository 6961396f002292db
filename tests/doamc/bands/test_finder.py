"""Signals in small bands: times, bands, identities, two emitters in a channel or beside each other."""

import itertools

import numpy as np
import pytest

from doamc.bands.channels import Channel
from doamc.bands.finder import SignalFinder
from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene
from doamc.spec import load_spec
from tests.doamc.bands.captures import CENTRE_HZ, RATE_HZ, emitter, found_in, grid, noise

ULA4 = load_spec("ula4")


def band(*emitters, seconds=0.6, seed=1, **receiver):
    return receive_band(ULA4, BandScene(CENTRE_HZ, RATE_HZ, seconds, seed, emitters, **receiver))


def test_a_signal_has_its_frequency_bandwidth_times_and_snr():
    (s,) = found_in(band(emitter("qpsk", 30e3, 20e3, 20.0, 15.0, ((0.1, 0.4),))))
    assert abs(s.frequency_hz - CENTRE_HZ - 30e3) < 500
    assert 14e3 < s.bandwidth_hz < 21e3  # 99 % of root-raised-cosine pulses
    assert abs(s.start_s - 0.1) < 0.006 and abs(s.stop_s - 0.4) < 0.006  # a part of a slice
    assert s.duty > 0.95 and s.ended
    assert abs(s.snr_db - 15) < 2.5  # in a band somewhat narrower, behind a coupling that is not 1
    assert 0.5 < s.snapshots / (0.3 * 24e3) < 2  # bandwidth of its bins times time


def test_a_carrier_is_narrower_than_a_bin():
    (s,) = found_in(band(emitter("cw", -50_030.0, 200.0, 0.0, 30.0)))
    assert s.bandwidth_hz < 3e3 and abs(s.frequency_hz - CENTRE_HZ + 50_030) < 300


def test_a_burst_of_30_ms_is_found():
    (s,) = found_in(band(emitter("4fsk", 0.0, 12.5e3, 10.0, 10.0, ((0.25, 0.28),))))
    assert abs(s.start_s - 0.25) < 0.006 and abs(s.stop_s - 0.28) < 0.006


def test_slots_are_one_signal_with_a_duty():
    (s,) = found_in(band(emitter("4fsk-tdma", 0.0, 12.5e3, 10.0, 15.0), seconds=1.2))
    assert s.start_s < 0.04 and s.stop_s > 1.1
    assert 0.4 < s.duty < 0.7


def test_neighbouring_channels_are_parted_by_direction():
    pair = (emitter("nfm", 0.0, 12.5e3, -30.0, 15.0), emitter("nfm", 12.5e3, 12.5e3, 30.0, 12.0))
    low, high = found_in(band(*pair))
    assert abs(low.frequency_hz - CENTRE_HZ) < 2e3 and abs(high.frequency_hz - CENTRE_HZ - 12.5e3) < 2e3


def test_two_emitters_in_one_channel_are_one_signal_of_two_waves():
    pair = (emitter("4fsk", 0.0, 12.5e3, -30.0, 15.0), emitter("4fsk", 0.0, 12.5e3, 30.0, 12.0))
    (s,) = found_in(band(*pair))
    values = np.linalg.eigvalsh(s.covariance.numpy())
    assert values[-2] > 10 * values[-3]


def test_emitters_that_follow_each_other_in_a_channel_are_two_signals():
    first = emitter("4fsk", 0.0, 12.5e3, -30.0, 15.0, ((0.0, 0.2),))
    then = emitter("4fsk", 0.0, 12.5e3, 30.0, 15.0, ((0.3, 0.6),))
    a, b = sorted(found_in(band(first, then)), key=lambda s: s.start_s)
    assert abs(a.stop_s - 0.2) < 0.01 and abs(b.start_s - 0.3) < 0.01
    again = emitter("4fsk", 0.0, 12.5e3, -30.0, 15.0, ((0.0, 0.2), (0.3, 0.6)))
    (s,) = found_in(band(again))  # the same one, with a pause
    assert s.start_s < 0.01 and s.stop_s > 0.58 and 0.7 < s.duty < 0.9


def test_a_signal_ends_after_the_time_of_silence_asked_for():
    again = emitter("4fsk", 0.0, 12.5e3, -30.0, 15.0, ((0.0, 0.2), (0.4, 0.6)))
    first, then = sorted(found_in(band(again), hang_s=0.1), key=lambda s: s.start_s)
    assert first.stop_s < 0.21 and then.start_s > 0.39


def test_slice_by_slice_a_signal_keeps_its_number():
    y = band(emitter("qpsk", 30e3, 20e3, 20.0, 15.0, ((0.1, 0.4),)))
    finder = SignalFinder(grid(), 4)
    changed = [c for piece in np.array_split(y, 7, axis=1) for c in finder.push(piece)]
    seen = [s for c in changed for s in c]
    assert {s.id for s in seen} == {1} and len(seen) >= 14
    assert all(a.stop_s <= b.stop_s for a, b in itertools.pairwise(seen))
    assert not changed[0] and not changed[-1]  # none before and after
    assert finder.finish()[0].ended and not finder.finish()


def test_nothing_grows_while_signals_come_and_go():
    pulses = tuple((k * 0.2, k * 0.2 + 0.05) for k in range(6))
    finder = SignalFinder(grid(), 4, hang_s=0.05)
    ended = 0
    for changed in finder.push(band(emitter("4fsk", 0.0, 12.5e3, -30.0, 15.0, pulses), seconds=1.2)):
        ended += sum(s.ended for s in changed)
        assert len(finder._live) <= 1
    assert ended + len(finder.finish()) == 6
    assert not finder.activity.in_use.any() and not finder.activity.total.any()


def test_images_and_offset_are_not_reported_and_told():
    y = band(emitter("nfm", 60e3, 12.5e3, 20.0, 40.0), image_db=-25.0, offset_db=10.0, slope_db=3.0)
    finder = SignalFinder(grid(), 4)
    list(finder.push(y))
    (s,) = finder.finish()
    assert abs(s.frequency_hz - CENTRE_HZ - 60e3) < 1e3
    told = " ".join(finder.artefacts.remarks())
    assert "offset" in told and "images" in told and "clipped" not in told


def test_a_signal_on_the_image_of_another_is_found():
    pair = (emitter("nfm", 60e3, 12.5e3, 20.0, 40.0), emitter("nfm", -60e3, 12.5e3, -20.0, 20.0))
    low, high = found_in(band(*pair, image_db=-40.0))
    assert low.frequency_hz < CENTRE_HZ < high.frequency_hz


def test_products_of_clipping_are_not_reported_and_told():
    y = band(emitter("nfm", 60e3, 12.5e3, 20.0, 40.0), emitter("nfm", 20e3, 12.5e3, -20.0, 40.0))
    most = 0.8 * np.abs(y.real).max()
    loud = (np.clip(y.real, -most, most) + 1j * np.clip(y.imag, -most, most)) / most
    finder = SignalFinder(grid(), 4)
    list(finder.push(loud.astype(np.complex64)))
    assert len(finder.finish()) == 2
    assert "clipped" in " ".join(finder.artefacts.remarks())


@pytest.mark.parametrize("squelch_db", [None, 0.0])
def test_channels_by_hand_are_watched_and_nothing_else(squelch_db):
    pair = (emitter("nfm", 0.0, 12.5e3, -30.0, 15.0), emitter("nfm", 50e3, 12.5e3, 30.0, 15.0, ((0.2, 0.6),)))
    (s,) = found_in(band(*pair), channels=(Channel(CENTRE_HZ + 50e3, 12.5e3, squelch_db),))
    assert (s.frequency_hz, s.bandwidth_hz) == (CENTRE_HZ + 50e3, 12.5e3)
    assert abs(s.start_s - 0.2) < 0.01
    assert not found_in(band(*pair), channels=(Channel(CENTRE_HZ + 50e3, 12.5e3, 30.0),))


def test_masks_hide_what_is_not_wanted():
    pair = (emitter("nfm", 0.0, 12.5e3, -30.0, 15.0), emitter("nfm", 50e3, 12.5e3, 30.0, 15.0))
    (s,) = found_in(band(*pair), masks=((CENTRE_HZ - 20e3, CENTRE_HZ + 20e3),))
    assert s.frequency_hz > CENTRE_HZ + 40e3


def test_noise_of_unequal_channels_and_a_sloping_band_hold_nothing():
    assert not found_in(band(gain_db=3.0, slope_db=4.0, seconds=2.0))
    assert not found_in(1e-4 * noise(4, 240_000))


def test_lost_samples_and_dead_channels_are_passed_over_and_told():
    y = band(emitter("qpsk", 30e3, 20e3, 20.0, 15.0))
    y[:, 60_000:80_000] = 0
    finder = SignalFinder(grid(), 4)
    list(finder.push(y))
    (s,) = finder.finish()
    assert s.start_s == 0.0 and s.stop_s == 0.6
    assert "zeros in a channel" in " ".join(finder.artefacts.remarks())
    assert not found_in(np.zeros((4, 48_000), np.complex64))
    y[2] = 0
    assert not found_in(y)


@pytest.mark.parametrize("seconds", [0.595, 0.588])
def test_a_signal_that_begins_in_the_last_shorter_slice_is_found(seconds):
    """Slices of 20 ms; 15 ms are left of the last one, of which two parts hold whole frames, or 8 ms with one."""
    y = band(emitter("4fsk", 30e3, 12.5e3, 10.0, 20.0, ((0.581, 1.0),)), seconds=seconds)
    (s,) = found_in(y)
    assert abs(s.start_s - 0.581) < 0.006 and abs(s.stop_s - seconds) < 0.006
    assert abs(s.frequency_hz - CENTRE_HZ - 30e3) < 2e3


def test_what_lasts_counts_the_shorter_slice_by_its_share():
    y = band(emitter("qpsk", 30e3, 20e3, 20.0, 15.0), seconds=0.595)
    (s,) = found_in(y)
    assert s.stop_s == pytest.approx(0.595, abs=1e-3)
    per_s = s.snapshots / 0.59  # 29 slices and two parts of four
    (whole,) = found_in(y[:, : round(0.58 * RATE_HZ) + grid().overlap])
    assert per_s == pytest.approx(whole.snapshots / 0.58, rel=0.01)


def test_noise_in_a_shorter_slice_is_no_signal():
    """Of the same number of independent snapshots less, thresholds are higher: none is above them."""
    g = grid()
    for seed in range(20):
        y = noise(4, g.slice_samples + 20 * g.hop + g.overlap, seed)
        assert found_in(y) == []

"""The occupied band of a tone, a flat and a bell-shaped spectrum."""

import numpy as np
import pytest

from doamc.bands.occupied import LEAST_LINES, occupied_band


def hann_tone(at):
    """Powers of 16 lines of a tone at a place in lines, line k covering k to k + 1."""
    d = np.arange(16) + 0.5 - at
    return (np.sinc(d) / (1 - d**2 + 1e-9)) ** 2


@pytest.mark.parametrize("at", [8.0, 8.3, 8.5])
def test_a_tone_has_next_to_no_width(at):
    low, width = occupied_band(hann_tone(at))
    assert width <= 2.0  # half a bin
    assert abs(low + width / 2 - at) < 0.2


def test_a_flat_band_has_its_own_width():
    x = np.zeros(40)
    x[10:30] = 2.0
    low, width = occupied_band(x)
    assert abs(width - 20 * 0.99) < 0.1 and abs(low + width / 2 - 20) < 1e-9


def test_a_bell_has_99_percent_of_its_power():
    x = np.exp(-0.5 * ((np.arange(200) - 99.5) / 20) ** 2)
    assert abs(occupied_band(x)[1] - 2 * 2.576 * 20) < 1.0


def test_noise_far_from_a_weak_tone_does_not_widen_it():
    rng = np.random.default_rng(1)
    x = 0.02 * rng.standard_normal(16) + hann_tone(8.0)
    assert occupied_band(x, 0.05)[1] < 2.5


def test_nothing_is_all_there_is():
    assert occupied_band(np.zeros(8)) == (0.0, 8.0)
    assert occupied_band(np.eye(8)[3])[1] == LEAST_LINES

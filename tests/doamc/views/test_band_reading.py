"""Signals and spectra as views read them: from JSON or from GNU Radio, or refused."""

import math

import numpy as np
import pytest

from doamc.errors import PublishError
from doamc.views.band_reading import read_signal, read_spectrum
from tests.doamc.dashboard.band_messages import BINS, LOW_HZ, STEP_HZ, signal, spectrum


def test_readings_hold_what_was_sent():
    s = read_signal(signal(3, 5e3, (10.0, -40.0), track=7, heading_deg=20.0))
    assert (s.id, s.frequency_hz, s.tracks, s.ended, s.heading_deg) == (3, LOW_HZ + 5e3, (7, 8), False, 20.0)
    np.testing.assert_array_equal(s.azimuth_deg, [10.0, -40.0])
    none = read_signal(signal(3) | {"sources": None})  # an empty list, from PMT
    assert len(none.azimuth_deg) == 0 and none.tracks == () and none.heading_deg is None
    p = read_spectrum(spectrum(1, floor_dbfs=None))
    assert p.floor_dbfs is None and len(p.power_dbfs) == BINS and (p.low_hz, p.step_hz) == (LOW_HZ, STEP_HZ)


@pytest.mark.parametrize(
    "change",
    [{"frequency_hz": math.nan}, {"sources": [{}]}, {"sources": [{"azimuth_deg": "x", "std_deg": 1}]}, {"schema": "x"}],
)
def test_odd_signals_are_refused(change):
    with pytest.raises(PublishError, match=r"doamc\.signal/1"):
        read_signal(signal(1) | change)


@pytest.mark.parametrize(
    "change",
    [{"power_dbfs": None}, {"power_dbfs": []}, {"power_dbfs": [[1.0]]}, {"floor_dbfs": [1.0]}, {"step_hz": -1.0},
     {"power_dbfs": [0.0] * 3000, "floor_dbfs": None}, {"low_hz": math.inf}],
)  # fmt: skip
def test_odd_spectra_are_refused(change):
    with pytest.raises(PublishError, match=r"doamc\.spectrum/1"):
        read_spectrum(spectrum() | change)

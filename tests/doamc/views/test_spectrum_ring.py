"""The ring of spectra: bounded, in order, with scales that hold still."""

import math

import numpy as np
import pytest

from doamc.views.band_reading import read_spectrum
from doamc.views.spectrum_ring import SpectrumRing
from tests.doamc.dashboard.band_messages import BINS, LOW_HZ, STEP_HZ, spectrum


def put(ring, levels, **changes):
    for k, level in enumerate(levels):
        ring.put(read_spectrum(spectrum(k, np.full(BINS, level), **changes)))


def test_the_newest_stand_first_and_the_oldest_leave():
    ring = SpectrumRing(4)
    put(ring, [-90.0, -91.0])
    assert ring.levels()[:, 0].tolist() == [-91.0, -90.0] and math.isnan(ring.age_s(2))
    put(ring, range(-100, -90))
    assert ring.levels()[:, 5].tolist() == [-91.0, -92.0, -93.0, -94.0]
    assert ring.age_s(3) == pytest.approx(0.18)
    assert math.isnan(ring.age_s(4)) and ring.band_hz == (LOW_HZ, LOW_HZ + BINS * STEP_HZ)


def test_another_band_begins_anew():
    ring = SpectrumRing(4)
    put(ring, [-90.0] * 3)
    put(ring, [-80.0], low_hz=1e6)
    assert ring.count == 1 and ring.levels().shape == (1, BINS)


def test_scales_hold_the_levels_and_hold_still():
    ring, ranges = SpectrumRing(50), set()
    for k in range(200):
        power = np.random.default_rng(k).normal(-95.0, 0.5, BINS)
        power[100] = -42.0 if k % 3 else -95.0  # a signal that comes and goes
        ring.put(read_spectrum(spectrum(k, power)))
        ranges.add(ring.range_dbfs)
        assert ring.range_dbfs[0] <= power.min() + 2.0 and power.max() <= ring.range_dbfs[1]
    assert len(ranges) <= 3
    for k in range(400):  # the level of the receiver falls, and the scales follow
        ring.put(read_spectrum(spectrum(200 + k, np.full(BINS, -120.0))))
    assert ring.range_dbfs == (-130.0, -80.0) or ring.range_dbfs == (-130.0, -90.0)

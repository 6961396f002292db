"""Colours and scales that all views share."""

import math

import numpy as np

from doamc.views.palette import COLOURS, colour_of, magnitude_db, phase_deg


def test_scales():
    c = np.array([[1, 0.1j], [-0.01, 0]])
    np.testing.assert_allclose(magnitude_db(c), [[0, -20], [-40, -180]], atol=1e-9)
    np.testing.assert_allclose(phase_deg(c), [[0, 90], [math.nan, math.nan]])
    np.testing.assert_allclose(phase_deg(c, -50), [[0, 90], [180, math.nan]])
    assert colour_of(0) == colour_of(6) == COLOURS[0] and len(set(COLOURS)) == 6

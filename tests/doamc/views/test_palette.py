"""Colours and scales that all views share."""

import math

import numpy as np

from doamc.views.palette import COLOURS, DIRECTIONS, colour_of, direction_rgb, magnitude_db, phase_deg


def test_scales():
    c = np.array([[1, 0.1j], [-0.01, 0]])
    np.testing.assert_allclose(magnitude_db(c), [[0, -20], [-40, -180]], atol=1e-9)
    np.testing.assert_allclose(phase_deg(c), [[0, 90], [math.nan, math.nan]])
    np.testing.assert_allclose(phase_deg(c, -50), [[0, 90], [180, math.nan]])
    assert colour_of(0) == colour_of(6) == COLOURS[0] and len(set(COLOURS)) == 6


def luminance(rgb):
    """Relative luminance of a colour of sRGB (WCAG 2)."""
    linear = [v / 255 / 12.92 if v / 255 <= 0.04045 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_directions_close_a_circle_and_stand_out_from_light_and_dark():
    assert direction_rgb(0.0) == direction_rgb(360.0) == direction_rgb(-720.0) == DIRECTIONS[0]
    assert direction_rgb(95.0) == tuple(
        round(a + (b - a) / 6) for a, b in zip(DIRECTIONS[3], DIRECTIONS[4], strict=True)
    )
    for angle in range(0, 360, 5):
        light = luminance(direction_rgb(angle))
        assert 1.05 / (light + 0.05) > 3.0  # 3 to 1 for graphics, WCAG 1.4.11, on white
        assert (light + 0.05) / (luminance((21, 27, 35)) + 0.05) > 3.0  # and on the page's dark panel

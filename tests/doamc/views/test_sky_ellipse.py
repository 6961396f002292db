"""Ellipses on the sky hold what they say, wherever they lie."""

import math

import numpy as np
import pytest

from doamc.angles import great_circle_deg
from doamc.views.sky_ellipse import ELLIPSE_90, below_horizon, sky_ellipse, unrolled


def tangent(azimuth, elevation, points):
    """Points (n, 2) as angles from a direction on the plane that touches the sphere there, by great circles."""
    az, el, paz, pel = (np.radians(v) for v in (azimuth, elevation, points[:, 0], points[:, 1]))
    away = np.radians(great_circle_deg(azimuth, elevation, points[:, 0], points[:, 1]))
    x = np.cos(pel) * np.sin(paz - az)
    y = np.sin(pel) * np.cos(el) - np.cos(pel) * np.sin(el) * np.cos(paz - az)
    scale = away / np.maximum(np.hypot(x, y), 1e-300)
    return np.degrees(np.stack([scale * x, scale * y], 1))


@pytest.mark.parametrize("elevation", [0.0, 40.0, -35.0, 80.0])
def test_half_axes_are_those_of_nine_tenths_of_a_gaussian(elevation):
    """-2 ln 0.1 is the quantile of chi-square of two degrees of freedom."""
    std, up = 2.0, 1.0
    curve = sky_ellipse(30.0, elevation, std, up)
    flat = tangent(30.0, elevation, curve)
    across = std * math.cos(math.radians(elevation))
    np.testing.assert_allclose((flat[:, 0] / across) ** 2 + (flat[:, 1] / up) ** 2, -2 * math.log(0.1), rtol=1e-9)
    assert curve[0] == pytest.approx(curve[-1])
    draws = np.random.default_rng(0).standard_normal((200_000, 2))
    assert np.mean((draws**2).sum(1) <= ELLIPSE_90**2) == pytest.approx(0.9, abs=0.003)


def test_correlation_slants_it():
    """The covariance of points that stand evenly on the curve is the covariance of the errors, times a number."""
    flat = tangent(30.0, 20.0, sky_ellipse(30.0, 20.0, 2.0, 1.0, 0.6))[:-1]
    covariance = flat.T @ flat / len(flat) * 2 / ELLIPSE_90**2
    across = 2.0 * math.cos(math.radians(20.0))
    np.testing.assert_allclose(covariance, [[across**2, 0.6 * across], [0.6 * across, 1.0]], rtol=1e-6)


@pytest.mark.parametrize("elevation", [88.8, -88.8])
def test_at_the_zenith_it_is_a_circle(elevation):
    """An azimuth that is unknown says nothing; one-sided, elevation is above its 10 % quantile."""
    curve = sky_ellipse(77.0, elevation, 100.0, 0.7)
    reach = 1.2 + 1.281552 * 0.7
    np.testing.assert_allclose(great_circle_deg(0.0, math.copysign(90.0, elevation), *curve.T), reach)
    assert np.ptp(curve[:, 0]) == 360.0


def test_near_the_zenith_it_is_as_round_as_the_errors_are():
    """The same errors on the sky as anywhere else: the azimuth's deviation is wide there, and the circle is not."""
    up = 1.0
    curve = sky_ellipse(10.0, 87.0, up / math.cos(math.radians(87.0)), up)
    np.testing.assert_allclose(great_circle_deg(10.0, 87.0, *curve.T), ELLIPSE_90 * up, rtol=1e-9)


def test_deviations_that_are_not_known_make_no_ellipse_and_large_ones_stay_on_the_sphere():
    assert sky_ellipse(0.0, 0.0, math.nan, 1.0) is None and sky_ellipse(0.0, 0.0, 1.0, math.nan) is None
    assert sky_ellipse(0.0, 0.0, 0.0, 1.0) is None
    curve = sky_ellipse(0.0, 0.0, 40.0, 300.0)
    assert np.isfinite(curve).all() and great_circle_deg(0.0, 0.0, *curve.T).max() <= 90.0 + 1e-9


def test_unrolled_does_not_jump_and_closes_round_the_zenith():
    flat = unrolled(sky_ellipse(179.0, 10.0, 3.0, 1.0), 179.0)
    assert len(flat) == 73 and np.abs(np.diff(flat[:, 0])).max() < 2 and flat[:, 0].max() > 180
    assert unrolled(sky_ellipse(179.0, 10.0, 3.0, 1.0), 539.0)[:, 0].min() > 500
    flat = unrolled(sky_ellipse(20.0, 88.0, 30.0, 2.0), 20.0)  # it holds the zenith
    assert len(flat) == 75 and np.ptp(flat[:, 0]) == pytest.approx(360.0) and flat[-2:, 1].tolist() == [90.0, 90.0]


def test_below_the_horizon():
    assert below_horizon(np.array([3.0, -2.0])) and not below_horizon(np.array([3.0, math.nan, -1e-9]))
    assert not below_horizon(None)

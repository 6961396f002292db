"""Crossing bearings against closed forms and Monte Carlo."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2

from doamc.places.crossing import cross_bearings, error_ellipse

POSITIONS = np.array([[0.0, 0.0], [1000.0, 0.0], [400.0, 1300.0]])


def bearings(point, positions):
    east, north = (np.asarray(point) - positions).T
    return np.arctan2(east, north)


@given(
    st.floats(-5e3, 5e3), st.floats(-5e3, 5e3), st.integers(2, 3),
    st.lists(st.floats(0.1, 10.0), min_size=3, max_size=3),
)  # fmt: skip
@settings(max_examples=80)
def test_bearings_without_errors_cross_at_the_emitter(east, north, count, std_deg):
    positions = POSITIONS[:count]
    away = np.hypot(*(np.array([east, north]) - positions).T)
    bearing = bearings((east, north), positions)
    spread = np.abs(np.sin(np.subtract.outer(bearing, bearing))).max()
    found = cross_bearings(positions, bearing, np.radians(std_deg[:count]))
    if away.min() < 1.0 or spread < math.sin(math.radians(1.0)):
        return  # at a receiver, or on the line of all of them: bearings say nothing there
    assert found is not None
    assert (found.east_m, found.north_m) == pytest.approx((east, north), abs=1e-4)
    assert found.chi2 < 1e-9


def test_two_bearings_at_right_angles_have_a_round_ellipse_of_known_size():
    """Lines that meet at 90 degrees, each (500 sqrt 2) m long: across each, the deviation is length times sigma."""
    sigma, length = math.radians(1.5), 500 * math.sqrt(2)
    found = cross_bearings(POSITIONS[:2], np.radians([45.0, 315.0]), [sigma, sigma])
    assert (found.east_m, found.north_m) == pytest.approx((500.0, 500.0), abs=1e-6)
    np.testing.assert_allclose(found.covariance, (sigma * length) ** 2 * np.eye(2), rtol=1e-9, atol=1e-6)
    major, minor, _ = error_ellipse(found.covariance, 0.95)
    assert major == pytest.approx(minor) == pytest.approx(math.sqrt(chi2.ppf(0.95, 2)) * sigma * length)


def test_the_solution_of_three_bearings_is_the_minimum_of_the_weighted_squares():
    """Against a brute search over a grid that is refined around its best point."""
    std = np.radians([1.0, 3.0, 0.5])
    bearing = bearings((700.0, 450.0), POSITIONS) + np.radians([1.2, -2.0, 0.4])
    found = cross_bearings(POSITIONS, bearing, std)
    at, width = np.array([700.0, 450.0]), 400.0
    for _ in range(25):
        offset = np.linspace(-width, width, 21)
        grid = at + np.stack(np.meshgrid(offset, offset), -1).reshape(-1, 2)
        away = grid[:, None] - POSITIONS
        error = (bearing - np.arctan2(away[..., 0], away[..., 1]) + np.pi) % (2 * np.pi) - np.pi
        cost = ((error / std) ** 2).sum(1)
        at, width = grid[cost.argmin()], width / 3
    assert (found.east_m, found.north_m) == pytest.approx(at, abs=0.01)
    assert found.chi2 == pytest.approx(cost.min(), rel=1e-6)


def test_the_ellipse_holds_the_emitter_as_often_as_it_says():
    """600 draws: 95 % within 3 deviations of a binomial share; the draws' covariance within 15 %."""
    generator = np.random.default_rng(3)
    truth, std = np.array([650.0, 520.0]), np.radians([1.0, 2.0, 1.5])
    exact = bearings(truth, POSITIONS)
    points, inside, misfits = [], 0, []
    for _ in range(600):
        found = cross_bearings(POSITIONS, exact + std * generator.standard_normal(3), std)
        error = np.array([found.east_m, found.north_m]) - truth
        inside += error @ np.linalg.solve(found.covariance, error) <= -2 * math.log(0.05)
        points.append(error)
        misfits.append(found.chi2)
    assert abs(inside / 600 - 0.95) < 3 * math.sqrt(0.95 * 0.05 / 600)
    expected = cross_bearings(POSITIONS, exact, std).covariance
    assert np.linalg.norm(np.cov(np.array(points).T) - expected) < 0.15 * np.linalg.norm(expected)
    assert np.mean(misfits) == pytest.approx(1.0, abs=0.18)  # chi-square with one degree of freedom


@pytest.mark.parametrize("first, second", [(45.0, 45.0), (45.0, 225.0), (45.0, 45.3), (315.0, 45.0), (225.0, 315.0)])
def test_parallel_and_diverging_lines_do_not_cross(first, second):
    assert cross_bearings(POSITIONS[:2], np.radians([first, second]), np.radians([1.0, 1.0])) is None


def test_a_deviation_of_zero_is_no_division_by_it():
    found = cross_bearings(POSITIONS[:2], np.radians([45.0, 315.0]), [0.0, 0.0])
    assert np.isfinite(found.covariance).all() and found.east_m == pytest.approx(500.0)


def test_the_axes_of_an_ellipse():
    """Deviations of 3 m along bearing 60 and 1 m across it."""
    along = np.array([math.sin(math.radians(60)), math.cos(math.radians(60))])
    covariance = np.eye(2) + 8.0 * np.outer(along, along)
    major, minor, bearing = error_ellipse(covariance, 1 - math.exp(-0.5))  # one deviation
    assert (major, minor, bearing) == pytest.approx((3.0, 1.0, 60.0))

import math

import numpy as np
import pytest

from doamc.tracks.interval import quantiles
from doamc.tracks.mixture import Mixture


def bearings(weight, mean, std):
    """One mixture with the given bearings in rad and rates of 0."""
    k = len(weight)
    cov = np.zeros((1, k, 2, 2))
    cov[0, :, 0, 0], cov[0, :, 1, 1] = np.square(std), 1e-4
    return Mixture(np.array([weight]), np.stack((np.array([mean]), np.zeros((1, k))), -1), cov)


def test_reduction_keeps_the_moments_of_what_it_joins():
    m = bearings([0.5, 0.3, 0.2], [0.1, 0.12, 0.09], [0.02, 0.03, 0.02])
    one = m.reduced(2)
    mean = 0.5 * 0.1 + 0.3 * 0.12 + 0.2 * 0.09
    second = 0.5 * (0.02**2 + 0.1**2) + 0.3 * (0.03**2 + 0.12**2) + 0.2 * (0.02**2 + 0.09**2)
    assert one.weight.tolist() == [[1.0, 0.0]]
    assert one.mean[0, 0, 0] == pytest.approx(mean, abs=1e-12)
    assert one.cov[0, 0, 0, 0] == pytest.approx(second - mean**2, rel=1e-9)


def test_reduction_across_half_a_turn():
    one = bearings([0.5, 0.5], [math.pi - 0.01, -math.pi + 0.01], [0.02, 0.02]).reduced(2)
    assert abs(one.mean[0, 0, 0]) == pytest.approx(math.pi, abs=1e-12)
    assert one.cov[0, 0, 0, 0] == pytest.approx(0.02**2 + 0.01**2, rel=1e-9)


def test_places_far_apart_stay_apart_and_the_lightest_goes():
    m = bearings([0.5, 0.3, 0.2], [-1.0, 1.0, 2.0], [0.01, 0.01, 0.01]).reduced(2)
    assert m.weight[0].tolist() == pytest.approx([0.625, 0.375]) and m.mean[0, :, 0].tolist() == [-1.0, 1.0]


def test_intervals_of_a_normal_law():
    m = bearings([1.0], [3.0], [0.03])
    np.testing.assert_allclose(quantiles(m, 0.9, 0.0), [[-1.644854 * 0.03, 1.644854 * 0.03]], rtol=1e-5)
    np.testing.assert_allclose(quantiles(m, 0.9, 0.04)[0, 1], 1.644854 * 0.05, rtol=1e-5)


def test_interval_of_two_places_reaches_both():
    low, high = quantiles(bearings([0.5, 0.5], [-0.5, 0.5], [0.01, 0.01]), 0.9, 0.0)[0]
    assert low == pytest.approx(-0.5 - 1.281552 * 0.01, abs=1e-5) and high == pytest.approx(-low, abs=1e-6)

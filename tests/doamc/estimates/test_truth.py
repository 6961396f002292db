"""Truth over time, and its assignment to estimates."""

import math

import numpy as np
import pytest

from doamc.angles import wrap_deg
from doamc.estimates.truth import Truth, coupling_error_db, match


def test_truth_is_interpolated_through_the_turn():
    truth = Truth()
    for time_s, azimuth in ((0.0, 170.0), (1.0, 178.0), (2.0, -174.0)):  # 8 degrees a second
        truth.add({"sample_time": time_s, "azimuth_deg": [azimuth], "power_db": [0.0]})
    times = np.array([0.5, 1.5, 2.5, 9.0])  # on for one second after the newest, then it stands
    expected = np.array([174.0, 182.0, 190.0, 194.0])
    np.testing.assert_allclose(wrap_deg(truth.azimuth_deg(times)[:, 0] - expected), 0, atol=1e-9)


def test_late_or_empty_truths_change_nothing():
    truth = Truth()
    truth.add({"sample_time": 1.0, "azimuth_deg": [5.0]})
    truth.add({"sample_time": 0.5, "azimuth_deg": [50.0]})
    truth.add({"sample_time": 2.0, "azimuth_deg": []})
    assert truth.known and truth.azimuth_deg(0.7) == pytest.approx([5.0])
    assert not Truth().known


def test_match_is_the_best_assignment_on_the_circle():
    assert match(np.array([2.0, 358.0]), np.array([357.0, 1.0])) == [1, 0]
    assert match(np.array([10.0]), np.array([200.0, 12.0])) == [1]
    assert match(np.array([-40.0, 11.0, 12.0]), np.array([12.5, -41.0])) == [1, None, 0]


def test_coupling_error_ignores_a_common_factor_and_is_minus_infinity_for_none():
    truth = np.array([[1, 0.3j], [0.3j, 1]])
    # |I - C|^2 / |C|^2 = 2 * 0.09 / (2 + 2 * 0.09)
    assert coupling_error_db(np.eye(2, dtype=complex), truth) == pytest.approx(10 * np.log10(0.18 / 2.18))
    assert coupling_error_db((2 - 1j) * truth, truth) < -250
    assert math.isnan(coupling_error_db(None, truth)) and math.isnan(coupling_error_db(np.eye(3), truth))


def test_elevations_are_interpolated_and_go_no_further_than_the_zenith():
    truth = Truth()
    for time_s, elevation in ((0.0, 70.0), (1.0, 80.0), (2.0, 88.0)):
        truth.add({"sample_time": time_s, "azimuth_deg": [5.0], "elevation_deg": [elevation]})
    np.testing.assert_allclose(truth.elevation_deg(np.array([0.5, 1.5, 9.0]))[:, 0], [75.0, 84.0, 90.0])
    truth.add({"sample_time": 3.0, "azimuth_deg": [5.0], "elevation_deg": [1.0, 2.0]})  # of no emitter: left out
    assert truth.elevation_deg(9.0) == pytest.approx([90.0])
    plain = Truth()
    plain.add({"azimuth_deg": [5.0]})
    assert plain.elevation_deg(0.0) is None


def test_match_is_the_best_assignment_on_the_sphere():
    """Near the zenith azimuths say little: by them alone the two are swapped."""
    found, true = (np.array([0.0, 100.0]), np.array([88.0, 10.0])), (np.array([0.0, 100.0]), np.array([10.0, 88.0]))
    assert match(found[0], true[0]) == [0, 1] and match(found[0], true[0], found[1], true[1]) == [1, 0]

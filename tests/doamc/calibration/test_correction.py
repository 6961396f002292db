import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.calibration import correction_matrix, mmse_regularisation
from doamc.errors import CalibrationError
from tests.doamc.calibration.signals import normal


def coupling(seed, n=6):
    return np.eye(n) + 0.15 * normal(np.random.default_rng(seed), n, n)


@given(st.integers(0, 1000))
def test_without_regularisation_it_is_the_inverse(seed):
    c = coupling(seed)
    assert correction_matrix(c) @ c == pytest.approx(np.eye(6), abs=1e-12)


@given(st.integers(0, 1000), st.floats(1e-6, 1e3))
def test_it_solves_the_regularised_least_squares_problem(seed, weight):
    c, y = coupling(seed), normal(np.random.default_rng(seed + 1), 6)
    stacked = np.vstack([c, np.sqrt(weight) * np.eye(6)])
    z = np.linalg.lstsq(stacked, np.r_[y, np.zeros(6)], rcond=None)[0]
    assert correction_matrix(c, weight) @ y == pytest.approx(z, rel=1e-9, abs=1e-9)


@given(st.integers(0, 1000), st.floats(1e-3, 10), st.floats(1e-2, 10))
def test_with_noise_over_signal_power_it_is_the_wiener_filter(seed, s2, p):
    c = coupling(seed)
    wiener = p * c.conj().T @ np.linalg.inv(p * c @ c.conj().T + s2 * np.eye(6))
    assert correction_matrix(c, s2 / p) == pytest.approx(wiener, rel=1e-9, abs=1e-9)


def test_noise_over_the_sum_of_the_sources():
    assert mmse_regularisation(0.1, [0.0, -3.0103, None]) == pytest.approx(0.1 / 1.5, rel=1e-5)
    for noise, powers in ((None, [0.0]), (0.1, []), (0.1, [None]), (float("nan"), [0.0])):
        with pytest.raises(CalibrationError, match="expected a noise power"):
            mmse_regularisation(noise, powers)


def test_singular_matrices_need_a_regularisation():
    c = np.ones((3, 3))
    with pytest.raises(CalibrationError, match="regularisation > 0"):
        correction_matrix(c)
    # of rank one: W = c^T / (9 + lambda)
    assert correction_matrix(c, 1.0) == pytest.approx(c / 10)


@pytest.mark.parametrize(
    ("matrix", "weight"),
    [(np.ones((2, 3)), 0.0), (np.full((2, 2), np.nan), 0.0), (np.eye(2), -1.0), (np.eye(2), float("inf")),
     (np.zeros((2, 2)), 1.0)],
)  # fmt: skip
def test_what_is_no_coupling_is_refused(matrix, weight):
    with pytest.raises(CalibrationError, match="expected"):
        correction_matrix(matrix, weight)

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.tracks.motion import transition

TIMES = st.floats(1e-4, 100.0)


@given(TIMES, TIMES, st.floats(0.1, 30.0))
def test_two_steps_are_one(a, b, tau):
    (f_a, q_a), (f_b, q_b), (f, q) = (transition(t, 0.3, tau) for t in (a, b, a + b))
    np.testing.assert_allclose(f, f_b @ f_a, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(q, f_b @ q_a @ f_b.T + q_b, rtol=2e-4, atol=1e-12)


def test_no_time_changes_nothing():
    f, q = transition(0.0, 1.0, 10.0)
    np.testing.assert_array_equal(f, np.eye(2))
    assert not q.any()


def test_the_rate_keeps_its_spread_for_ever():
    f, q = transition(1e4, 0.3, 10.0)
    assert q[1, 1] == pytest.approx(0.09) and f[1, 1] == pytest.approx(0.0, abs=1e-12)


def test_covariance_against_a_numerical_integral():
    tau, sigma, dt, n = 3.0, 0.5, 2.0, 20000
    s = (np.arange(n) + 0.5) * dt / n
    response = np.stack((tau * (1 - np.exp(-s / tau)), np.exp(-s / tau)))
    expected = 2 * sigma**2 / tau * (response[:, None] * response[None]).sum(-1) * dt / n
    np.testing.assert_allclose(transition(dt, sigma, tau)[1], expected, rtol=1e-7)
    assert math.isclose(transition(dt, sigma, tau)[0][0, 1], response[0][-1], rel_tol=1e-4)

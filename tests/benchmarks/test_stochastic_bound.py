"""The yardstick itself: general formula against the closed form of one source."""

import numpy as np
import pytest
from benchmarks.yardsticks.stochastic_bound import one_source_ula_std, stochastic_crb

CASES = [(4, 0.5, 0.3, 20), (8, 0.4, -0.9, 0), (16, 0.5, 0, -10)]


@pytest.mark.parametrize(("n", "spacing", "azimuth", "snr_db"), CASES)
def test_general_bound_agrees_with_the_closed_form_of_one_source(n, spacing, azimuth, snr_db):
    positions = np.stack([np.zeros(n), spacing * np.arange(n)], 1)
    noise = 10 ** (-snr_db / 10)
    general = stochastic_crb(positions, np.array([azimuth]), np.array([0.7]), noise, 50)
    assert general[0] == pytest.approx(one_source_ula_std(n, spacing, azimuth, 0.7, noise, 50), rel=1e-10)

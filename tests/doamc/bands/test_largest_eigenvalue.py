"""The distribution of the largest eigenvalue, against draws and a case with a closed form."""

import math

import numpy as np
import pytest

from doamc.bands.largest_eigenvalue import eigenvalue_threshold, expected_above
from doamc.errors import SnapshotError


def test_one_channel_has_the_gamma_distribution():
    """P(L R > x) = exp(-x) sum_{k<L} x^k / k!."""
    x = 1.8 * 20
    exact = math.exp(-x) * sum(x**k / math.factorial(k) for k in range(20))
    assert abs(expected_above(1.8, 1, 20.0) / exact - 1) < 1e-4


@pytest.mark.parametrize("channels", [3, 8])
def test_the_threshold_is_exceeded_as_often_as_asked(channels):
    rng, length, draws = np.random.default_rng(1), 40, 8000
    z = (rng.standard_normal((draws, channels, length)) + 1j * rng.standard_normal((draws, channels, length))) / 2**0.5
    largest = np.linalg.eigvalsh(z @ z.conj().swapaxes(1, 2) / length)[:, -1]
    share = (largest > eigenvalue_threshold(0.01, channels, float(length))).mean()
    assert abs(share - 0.01) < 4 * math.sqrt(0.01 / draws)


def test_thresholds_fall_with_snapshots_and_rise_with_channels():
    assert eigenvalue_threshold(1e-8, 5, 136.0) > eigenvalue_threshold(1e-8, 5, 1000.0) > 1
    assert eigenvalue_threshold(1e-8, 8, 136.0) > eigenvalue_threshold(1e-8, 5, 136.0)


def test_fewer_snapshots_than_channels_are_refused():
    with pytest.raises(SnapshotError, match="--slice"):
        eigenvalue_threshold(1e-6, 8, 7.0)

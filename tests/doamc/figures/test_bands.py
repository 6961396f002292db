"""95 % intervals against closed forms."""

import numpy as np
import pytest

from doamc.figures.bands import band_of, share_band


def test_shares_against_their_definition():
    """The ends are the shares p for which the one observed lies 1.96 standard deviations of p away (Wilson)."""
    share, trials = np.array([0.0, 0.3, 0.95, 1.0]), np.array([20.0, 50.0, 100.0, 60.0])
    for end in share_band(share, trials):
        end = np.clip(end, 0.0, 1.0)
        distance = np.abs(share - end)
        np.testing.assert_allclose(distance, 1.959964 * np.sqrt(end * (1 - end) / trials), atol=1e-9)


def test_bands_of_rows():
    rows = [{"hits": 0.5, "trials": 100, "rmse_hit_deg": 0.2, "rmse_hit_std_deg": 0.01, "ms": 1.0},
            {"hits": 0.0, "trials": 100, "rmse_hit_deg": None, "rmse_hit_std_deg": None, "ms": 1.0}]  # fmt: skip
    low, high = band_of("rmse_hit_deg", rows)
    assert np.log(high[0] / 0.2) == pytest.approx(1.959964 * 0.05) == pytest.approx(np.log(0.2 / low[0]))
    assert np.isnan([low[1], high[1]]).all() and band_of("ms", rows) is None
    low, high = band_of("hits", rows)
    assert low[0] == pytest.approx(1 - high[0]) and high[1] == pytest.approx(0.037, abs=5e-4)  # z^2 / (n + z^2)

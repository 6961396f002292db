"""95 % intervals against closed forms and against repetition."""

import numpy as np
import pytest
import torch

from doamc.figures.bands import band_of, share_band
from doamc.trials.monte_carlo import rms_deviation


def test_shares_against_their_definition():
    """The ends are the shares p for which the one observed lies 1.96 standard deviations of p away (Wilson)."""
    share, trials = np.array([0.0, 0.3, 0.95, 1.0]), np.array([20.0, 50.0, 100.0, 60.0])
    for end in share_band(share, trials):
        end = np.clip(end, 0.0, 1.0)
        distance = np.abs(share - end)
        np.testing.assert_allclose(distance, 1.959964 * np.sqrt(end * (1 - end) / trials), atol=1e-9)


def test_deviation_of_a_root_mean_square_by_repetition():
    error = torch.randn(4000, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    predicted = np.mean([rms_deviation(e) for e in error[:500]])
    actual = error.square().mean((1, 2)).sqrt().std().item()
    # of P L = 100 Gaussian errors it is 1 / sqrt(200) of the root; the 4000 repetitions tell it to 1.1 %
    assert actual == pytest.approx(1 / np.sqrt(200), rel=0.05) and predicted == pytest.approx(actual, rel=0.05)
    assert rms_deviation(error[0][:1]) is None and rms_deviation(torch.zeros(3, 1)) == 0.0


def test_bands_of_rows():
    rows = [{"hits": 0.5, "trials": 100, "rmse_hit_deg": 0.2, "rmse_hit_std_deg": 0.01, "ms": 1.0},
            {"hits": 0.0, "trials": 100, "rmse_hit_deg": None, "rmse_hit_std_deg": None, "ms": 1.0}]  # fmt: skip
    low, high = band_of("rmse_hit_deg", rows)
    assert np.log(high[0] / 0.2) == pytest.approx(1.959964 * 0.05) == pytest.approx(np.log(0.2 / low[0]))
    assert np.isnan([low[1], high[1]]).all() and band_of("ms", rows) is None
    low, high = band_of("hits", rows)
    assert low[0] == pytest.approx(1 - high[0]) and high[1] == pytest.approx(0.037, abs=5e-4)  # z^2 / (n + z^2)

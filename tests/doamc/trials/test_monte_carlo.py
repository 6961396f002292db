"""Monte-Carlo trials: every method sees the same scenes, and what is told of them holds in repetition."""

import numpy as np
import pytest
import torch

from doamc.trials.monte_carlo import rms_deviation


def test_deviation_of_a_root_mean_square_by_repetition():
    error = torch.randn(4000, 50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    predicted = np.mean([rms_deviation(e) for e in error[:500]])
    actual = error.square().mean((1, 2)).sqrt().std().item()
    # of P L = 100 Gaussian errors it is 1 / sqrt(200) of the root; the 4000 repetitions tell it to 1.1 %
    assert actual == pytest.approx(1 / np.sqrt(200), rel=0.05) and predicted == pytest.approx(actual, rel=0.05)
    assert rms_deviation(error[0][:1]) is None and rms_deviation(torch.zeros(3, 1)) == 0.0

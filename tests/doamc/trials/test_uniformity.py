"""Uniformity of ranks: the p-values are those of uniform numbers, and known answers."""

import numpy as np
import pytest
from scipy.stats import binom, chisquare

from doamc.trials.uniformity import LEVEL, PLACES, band_of, chi_square_p, counts_of


@pytest.mark.parametrize("scenes", [30, 1000])
def test_p_values_of_uniform_ranks_are_uniform(scenes):
    rng = np.random.default_rng(4)
    counts = [counts_of(rng.random(scenes)) for _ in range(1000)]
    for p in ([band_of(scenes).p_value(c) for c in counts], [chi_square_p(c) for c in counts]):
        # 1000 draws: standard deviations 0.007 and 0.0145 of these shares; discrete statistics lie a little off
        assert np.mean(np.array(p) < 0.05) == pytest.approx(0.05, abs=0.025)
        assert np.mean(np.array(p) < 0.3) == pytest.approx(0.3, abs=0.06)


def test_chi_square_is_that_of_scipy():
    counts = counts_of(np.random.default_rng(1).random(800) ** 1.1)
    assert chi_square_p(counts) == pytest.approx(chisquare(counts).pvalue, rel=1e-9)
    few = counts_of(np.random.default_rng(1).random(60))
    assert chi_square_p(few) == pytest.approx(chisquare(few.reshape(-1, 4).sum(1)).pvalue, rel=1e-9)


def test_the_band_holds_the_whole_distribution_function():
    band, rng = band_of(500), np.random.default_rng(9)
    below = np.array([counts_of(rng.random(500)) for _ in range(2000)]).cumsum(1)[:, :-1] / 500
    inside = ((below >= band.low) & (below <= band.high)).all(1).mean()
    assert inside == pytest.approx(LEVEL, abs=0.015)  # standard deviation 0.005, and counts are whole
    # wider than the binomial interval of one place
    middle = PLACES // 2 - 1
    assert band.low[middle] < binom.ppf(0.025, 500, 0.5) / 500 and band.high[middle] > binom.ppf(0.975, 500, 0.5) / 500


@pytest.mark.parametrize("power", [0.8, 1.25])
def test_ranks_that_lean_are_told(power):
    counts = counts_of(np.random.default_rng(2).random(1000) ** power)
    assert band_of(1000).p_value(counts) < 1e-3 and chi_square_p(counts) < 1e-3

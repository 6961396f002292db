"""The error of an array's responses is found from how badly signals fit, whatever their number of snapshots."""

import math

import numpy as np
import pytest

from doamc.bands.model_error import CENTRE_DB, LEVELS_DB, Misfit, counted, model_error


def misfits(error_db, seed, count, free=7.0):
    """Lacks of fit of signals whose responses err by noise and by a power, as that many normal numbers have them."""
    rng, out = np.random.default_rng(seed), []
    for _ in range(count):
        snapshots, snr = rng.uniform(100, 2000), 10 ** rng.uniform(0.5, 2.5)
        variance = 1 / snapshots + 10 ** (error_db / 10) * snr
        out.append(Misfit(snapshots, snr, free, 0.5 * variance * rng.chisquare(free)))
    return out


@pytest.mark.parametrize("error_db", [-45.0, -34.0, -25.0])
def test_the_error_is_found(error_db):
    found = [10 * math.log10(model_error(misfits(error_db, seed, 20), 0.0)) for seed in range(10)]
    assert np.mean(found) == pytest.approx(error_db, abs=1.0)
    # 140 squares of normal numbers tell a variance to a factor sqrt(2 / 140), 0.5 dB; the noise takes part of them
    assert np.std(found) < 1.5


def test_what_the_coupling_has_taken_up_counts():
    """Of 140 dimensions 70 are fitted away: half of the lack of fit is left, for the same error."""
    half = [Misfit(m.snapshots, m.snr, m.free, m.lack / 2) for m in misfits(-34.0, 1, 20)]
    assert 10 * math.log10(model_error(half, 70.0)) == pytest.approx(-34.0, abs=1.5)


def test_signals_that_fit_bring_the_error_down_and_none_leave_it():
    assert 10 * math.log10(model_error(misfits(-80.0, 2, 20), 0.0)) < CENTRE_DB - 10
    assert 10 * math.log10(model_error([], 0.0)) == pytest.approx(CENTRE_DB, abs=LEVELS_DB[2])


def test_snapshots_count_as_noise_and_error_together():
    assert counted(500.0, 30.0, 0.0) == 500.0
    assert counted(1e9, 30.0, 1e-3) == pytest.approx(1 / 0.03)

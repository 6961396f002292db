"""Comparisons as tasks."""

import pytest

from doamc.cluster import Workers, open_executor
from doamc.errors import ClusterError
from doamc.estimators.engine import open_estimator
from doamc.spec import load_spec
from doamc.trials.monte_carlo import compare
from doamc.trials.sweep import compare_on


def test_rows_are_those_of_one_comparison():
    methods, snr_db, spec = ["music", "ml"], [0.0, 10.0], load_spec("ula4")
    rows = compare(spec, [open_estimator(m, spec, 1, "cpu", 3) for m in methods], snr_db, 1, 20, 4, seed=3)
    with open_executor(Workers()) as executor:
        tasks = compare_on(executor, "ula4", methods, snr_db, 1, 20, 4, seed=3)
    assert [{k: v for k, v in r.items() if k != "ms"} for r in tasks] == [
        {k: v for k, v in r.items() if k != "ms"} for r in rows
    ]


def test_a_row_that_fails_ends_the_sweep():
    with open_executor(Workers()) as executor, pytest.raises(ClusterError, match="music at 5 dB failed three times: "):
        compare_on(executor, "ula4", ["music"], [5.0], 9, 20, 4)

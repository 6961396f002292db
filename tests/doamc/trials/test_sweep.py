"""Comparisons as tasks."""

from doamc.cluster import Workers, open_executor
from doamc.estimators.engine import open_estimator
from doamc.spec import load_spec
from doamc.trials.monte_carlo import compare
from doamc.trials.sweep import compare_on


def test_rows_are_those_of_one_comparison():
    methods, snr_db, spec = ["music", "ml"], [0.0, 10.0], load_spec("ula4")
    rows = compare(spec, [open_estimator(m, spec, 1, "cpu", 3) for m in methods], snr_db, 1, 20, 4, seed=3)
    with open_executor(Workers()) as executor:
        tasks, failed = compare_on(executor, "ula4", methods, snr_db, 1, 20, 4, seed=3)
    assert failed == []
    assert [{k: v for k, v in r.items() if k != "ms"} for r in tasks] == [
        {k: v for k, v in r.items() if k != "ms"} for r in rows
    ]


def test_a_row_that_fails_is_left_out_and_told():
    with open_executor(Workers()) as executor:
        rows, failed = compare_on(executor, "ula4", ["music", "none"], [5.0], 1, 20, 4)
    assert [r["method"] for r in rows] == ["music"]
    assert len(failed) == 1 and failed[0].startswith("none at 5 dB: method must be one of")


def test_rows_that_are_known_are_not_made_again():
    kept = []
    with open_executor(Workers()) as executor:
        rows, _ = compare_on(
            executor, "ula4", ["music"], [0.0, 5.0], 1, 20, 4, known={0: {"method": "known"}},
            keep=lambda place, row: kept.append((place, row["snr_db"])),
        )  # fmt: skip
    assert [r["method"] for r in rows] == ["known", "music"] and kept == [(1, 5.0)]

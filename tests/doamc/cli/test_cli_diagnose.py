"""``doamc diagnose``: the table, the JSON, the figure, and what is refused."""

import json

import pytest

from doamc.trials.diagnosis import LEVELS


def test_a_small_case_as_table_json_and_figure(doamc, tmp_path):
    told, figure = tmp_path / "d.json", tmp_path / "d.svg"
    status, text, err = doamc("diagnose", "--array", "ula4", "--sources", 1, 2, "--scenes", 60, "--seed", 3,
                              "--out", told, figure)  # fmt: skip
    assert (status, err) == (0, "")
    result = json.loads(told.read_text())
    assert (result["schema"], result["array"], result["method"], result["seed"]) == ("doamc.diagnosis/1", "ula4",
                                                                                      "posterior", 3)  # fmt: skip
    assert [case["sources"] for case in result["cases"]] == [1, 2]
    for case in result["cases"]:
        p = case["sources"]
        names = [*(f"power {i + 1}" for i in range(p)), "|c_1|", "noise", *(f"azimuth {i + 1}" for i in range(p))]
        assert list(case["quantities"]) == [*names, "arg c_1"]
        assert list(case["coverage"]) == ["powers", "coupling", "noise", "azimuths"]
        for shares in case["coverage"].values():
            for (share, low, high), level in zip(shares, LEVELS, strict=True):
                # 60 scenes: a binomial share lies within 4.5 standard deviations, and 96 chains end before 0.99 does
                assert share == pytest.approx(level, abs=4.5 * (level * (1 - level) / 60) ** 0.5 + 0.01)
                assert low <= share <= high
        assert sum(case["tarp"]["counts"]) == 60 and min(case["p_ranks"].values()) > 1e-4
        assert 0.5 < case["sharpness"]["std_over_bound"][1] < 1.5
    rows = text.splitlines()
    assert len(rows) == 1 + 2 * 4 and rows[1].split()[:3] == ["1", "200", "prior"]
    drawn = figure.read_text()
    for word in ("ranks of the truth", "coverage - level", "TARP", "azimuths", "coupling", "60 scenes"):
        assert word in drawn


def test_the_same_seed_gives_the_same_figures_and_another_others(doamc, tmp_path):
    runs = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        path = tmp_path / f"{name}.json"
        words = ("--sources", 1, "--snr-db", 0, "--snapshots", 20, "--scenes", 40, "--seed", seed)
        assert doamc("diagnose", "--array", "ula4", *words, "-o", path)[0] == 0
        runs.append(path.read_bytes())
    assert runs[0] == runs[1]
    first, other = (json.loads(run)["cases"][0]["quantities"]["azimuth 1"]["counts"] for run in runs[1:])
    assert first != other
    (case,) = json.loads(runs[0])["cases"]
    assert case["known_noise"] and case["snr_db"] == 0.0 and "noise" not in case["quantities"]


def test_a_method_with_error_bars_but_no_samples(doamc, tmp_path):
    """Its posterior is taken as normal; the bound's deviations of `map` hold above the threshold."""
    path = tmp_path / "d.json"
    assert doamc("diagnose", "--array", "ula4", "--method", "map", "--sources", 1, "--snr-db", 20, "--scenes", 60,
                 "-o", path)[0] == 0  # fmt: skip
    (case,) = json.loads(path.read_text())["cases"]
    assert list(case["quantities"]) == ["azimuth 1"] and case["hits"][0] > 0.9
    assert case["coverage"]["azimuths"][2][0] == pytest.approx(0.9, abs=0.15)


def test_kinds_of_coupling_are_each_in_their_own_terms(doamc):
    """Coupling drawn from antennas is of two kinds, each sampled in coordinates of its own."""
    status, text, err = doamc("diagnose", "--array", "kraken5", "--sources", 1, "--snr-db", 10, "--scenes", 24)
    assert (status, err) == (0, "")
    coupling = next(row for row in text.splitlines() if "coupling" in row).split()
    assert float(coupling[3]) == pytest.approx(0.9, abs=0.1)


def test_bad_options_are_refused(refused, tmp_path):
    small = ("diagnose", "--array", "ula4", "--scenes", 20)
    assert "has no error bars to judge" in refused(*small, "--method", "bartlett", "--sources", 1)
    assert "one after the other" in refused(*small, "--method", "self-calibrating")
    assert "method must be one of" in refused(*small, "--method", "magic")
    assert "coherent=yes" in refused(*small, "--method", "posterior:coherent=yes", "--sources", 2)
    assert "1 to 2 sources, found 3" in refused(*small, "--sources", 3)
    assert "1..3" in refused(*small, "--sources", 4)
    assert "expected a file that ends in .json, .png, .pdf or .svg" in refused(*small, "-o", tmp_path / "d.txt")
    assert "there is no folder" in refused(*small, "-o", tmp_path / "no" / "d.json")
    many = ("--snr-db", *range(7), "--sources", 1, "-o", tmp_path / "d.png")
    assert "at most 6 cases for a figure, found 7" in refused(*small, *many)
    assert "at most 33554432 samples at once" in refused(*small, "--snapshots", 200, 10**9)
    assert "expected a whole number >= 20" in refused("diagnose", "--array", "ula4", "--scenes", 3)
    assert not list(tmp_path.iterdir())

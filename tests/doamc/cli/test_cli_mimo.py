"""``doamc mimo``: numbers, table, picture and refusals."""

import json

import pytest

QUICK = ("--rx", "ula4", "--tx", "ula4", "--trials", 3, "--symbols", 32, "--grid-deg", 12)


def mean(values):
    return sum(values) / len(values)


def test_loss_without_coupling_grows_and_estimating_it_gives_it_back(doamc, tmp_path):
    plot = tmp_path / "m.png"
    status, text, err = doamc("mimo", *QUICK, "--strength", 0, 0.5, 1, "--paths", 1, "--snr-db", 25, "--json",
                              "--plot", plot)  # fmt: skip
    assert (status, err) == (0, "")
    rows = json.loads(text)["rows"]
    plain = [mean(r["loss_plain_db"]) for r in rows]
    assert plain[0] == pytest.approx(0, abs=1e-9) and plain[0] < plain[1] < plain[2]
    assert all(len(r["loss_coupled_db"]) == 3 and mean(r["loss_coupled_db"]) < 0.05 for r in rows)
    assert mean(rows[2]["loss_coupled_db"]) < 0.2 * plain[2]
    assert rows[0]["coupling_gain_rx_db"] is None and rows[2]["coupling_gain_rx_db"] > 6
    assert all(r["hits_coupled"] == 1 and 0 < r["rmse_coupled_deg"] < 3 * r["bound_deg"] for r in rows)
    assert plot.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_table_has_a_row_a_strength_and_directional_coupling_is_estimated(doamc):
    status, text, _ = doamc("mimo", *QUICK, "--strength", 1, "--directional", 0.3, "--paths", 1, "--snr-db", 30)
    lines = text.splitlines()
    assert status == 0 and len(lines) == 3 and lines[1].split()[0] == "strength"
    numbers = lines[2].split()
    assert numbers[0] == "1" and float(numbers[3]) < 0.5 * float(numbers[1])


def test_bad_options_are_refused(refused, tmp_path):
    assert "1..3 for ula4" in refused("mimo", "--rx", "ula4", "--paths", 4)
    assert "1..6 for ula8" in refused("mimo", "--paths", 7)
    assert "a number from 0 to 10" in refused("mimo", "--strength", -1)
    assert "more symbols" in refused("mimo", *QUICK[:-4], "--symbols", 4, "--subcarriers", 1, "--grid-deg", 20)
    assert "array must be one of" in refused("mimo", "--tx", "nothing")
    assert "there is no folder" in refused("mimo", "--plot", tmp_path / "no" / "c.png")

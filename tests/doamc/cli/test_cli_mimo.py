"""``doamc mimo``: numbers, table, picture and refusals."""

import json

import numpy as np
import pytest

from doamc.mimo.channel import Link
from doamc.mimo.estimate_file import estimated
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding_file import Soundings
from doamc.spec import load_spec
from doamc.trials.mimo import sounded_links

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


def test_a_file_of_simulated_soundings_gives_the_estimate_of_the_symbols_themselves(doamc, tmp_path):
    """To the last bit, both angles among them."""
    ends = ("--rx", "dome8", "--tx", "ula4", "--paths", 1)
    there, found = tmp_path / "s.npz", tmp_path / "y.npz"
    status, text, err = doamc("mimo", *ends, "--simulate", there, "--trials", 2, "--symbols", 40, "--seed", 3)
    assert (status, err) == (0, "") and "2 links of 4 subcarriers and 40 symbols" in text
    status, text, err = doamc("mimo", there, *ends, "-o", found, "--grid-deg", 15)
    assert (status, err) == (0, "") and "P = 1" in text
    link = Link(LinkEnd(load_spec("dome8")), LinkEnd(load_spec("ula4")))
    _, rays, sounding, received = sounded_links(link, 1.0, 0.0, 1, 40, 4, 20.0, 2, 3)
    here = estimated(link, Soundings(sounding, received), 1, SblOptions(step_deg=15.0))
    with np.load(found) as y, np.load(there) as s:
        assert set(y) == set(here) and all(np.array_equal(y[key], here[key]) for key in here)
        assert y["elevation_deg"].shape == (2, 1) and "dod_elevation_deg" not in y
        for key in ("doa_deg", "elevation_deg", "dod_deg"):  # errors in units of their deviations: six of them, normal
            assert (abs(y[key] - s[f"{key}_true"]) < 4 * y[key.replace("_deg", "_std_deg")]).all()
        assert np.array_equal(s["gain_true"], rays.gains) and s["coupling_rx_true"].shape == (2, 8, 8)


def test_a_matrix_for_each_path_is_written_where_it_is_asked_for(doamc, tmp_path):
    ends, there, found = ("--array", "ula4", "--directional", 0.3), tmp_path / "s.npz", tmp_path / "y.npz"
    assert doamc("mimo", *ends, "--simulate", there, "--trials", 1)[0] == 0
    assert doamc("mimo", there, *ends, "--grid-deg", 15, "-o", found)[0] == 0
    with np.load(found) as y, np.load(there) as s:
        assert y["coupling_tx"].shape == s["coupling_tx_true"].shape == (1, 2, 4, 4)


def test_options_of_files_and_of_simulations_do_not_meet(refused, tmp_path):
    there = tmp_path / "s.npz"
    assert "expected -o OUT.npz beside SOUNDINGS.npz" in refused("mimo", there)
    assert "expected SOUNDINGS.npz beside -o OUT.npz" in refused("mimo", "-o", there)
    assert "--plot and --json without SOUNDINGS.npz" in refused("mimo", there, "-o", there, "--json")
    assert "SOUNDINGS.npz or --simulate, found both" in refused("mimo", there, "-o", there, "--simulate", there)
    assert "one --strength" in refused("mimo", "--simulate", there, "--strength", 0, 1)
    assert "file of soundings, found none" in refused("mimo", there, "-o", tmp_path / "y.npz")
    assert not list(tmp_path.iterdir())


def test_elements_with_a_pattern_are_refused(refused, tmp_path):
    (tmp_path / "patch.toml").write_text('name = "p"\nlike = "ula4"\n[element]\npattern = "patch"\n')
    for end in ("--array", "--tx"):
        line = refused("mimo", end, tmp_path / "patch.toml", "--trials", 1)
        assert "doamc mimo knows isotropic elements alone, found [element] patch in array p; leave it out" in line

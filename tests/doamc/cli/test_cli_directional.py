"""Commands on a specification whose coupling depends on direction."""

import json

import numpy as np
import pytest

from doamc.spec import SHIPPED


@pytest.fixture
def array(tmp_path):
    """A file of panel16 or ula4 with the table."""

    def written(name: str) -> str:
        text = (SHIPPED / f"{name}.toml").read_text(encoding="utf-8")
        path = tmp_path / f"{name}.toml"
        table = "[coupling.directional]\norder = 1\nspread_db = -6.0\n\n[sources]"
        path.write_text(text.replace("[sources]", table), encoding="utf-8")
        return str(path)

    return written


def test_what_is_simulated_is_estimated_by_direction(doamc, refused, array, tmp_path):
    x, y, own = tmp_path / "x.npz", tmp_path / "y.npz", array("panel16")
    status, text, _ = doamc("arrays", own)
    assert status == 0 and "a series of order 1 over direction" in text
    assert doamc("simulate", own, "--sources", 2, "--snr-db", 20, "--batches", 3, "-o", x)[0] == 0
    assert doamc("estimate", x, "--array", own, "--sources", 2, "--method", "ml", "-o", y)[0] == 0
    true, found = np.load(x), np.load(y)
    c = true["coupling_by_direction_true"]
    assert c.shape == found["coupling_by_direction"].shape == (3, 2, 16, 16)
    error = np.abs(found["coupling_by_direction"] - c) ** 2
    assert error.mean() < 0.2 * (np.abs(found["coupling"][:, None] - c) ** 2).mean()
    assert np.abs(found["elevation_deg"] - true["elevation_deg_true"]).max() < 1.0
    words = refused("estimate", x, "--array", own, "--sources", 2, "--method", "self-calibrating", "-o", y)
    assert "found [coupling.directional] in array panel16; use one of bartlett" in words


def test_links_take_the_series_of_their_arrays(doamc, refused, array):
    own = array("ula4")
    quick = ("--rx", own, "--tx", "ula4", "--trials", 3, "--symbols", 48, "--grid-deg", 12, "--paths", 1)
    status, text, err = doamc("mimo", *quick, "--strength", 1, "--snr-db", 30, "--json")
    assert (status, err) == (0, "")
    (row,) = json.loads(text)["rows"]
    assert row["hits_coupled"] == 1 and row["rmse_coupled_deg"] < 2 * row["bound_deg"]
    assert sum(row["loss_coupled_db"]) < 0.1 * sum(row["loss_plain_db"])
    words = refused("mimo", *quick, "--directional", 0.3)
    assert "array ula4 has [coupling.directional], found --directional beside it" in words

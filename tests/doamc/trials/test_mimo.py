"""Trials of two arrays that align their beams: what coupling costs, and what estimating it gives back."""

import pytest

from doamc.mimo.channel import Link
from doamc.mimo.link_end import LinkEnd
from doamc.spec import load_spec
from doamc.trials.mimo import align_trials


@pytest.fixture(scope="module")
def rows():
    ends = [LinkEnd(load_spec(name), 0) for name in ("ula4", "ula4")]
    return [align_trials(Link(*ends), strength, 0.0, 1, 12, 12, 30.0, 3, 5, 4.0) for strength in (0.0, 1.0)]


def test_without_coupling_all_beams_are_as_good(rows):
    """C = I is then true; what is lost is what noise makes of the directions."""
    for name in ("plain", "blind", "coupled"):
        assert len(rows[0][f"loss_{name}_db"]) == 3 and max(rows[0][f"loss_{name}_db"]) < 0.05
    assert rows[0]["hits_blind"] == rows[0]["hits_coupled"] == 1.0


def test_with_coupling_its_estimate_gives_back_what_it_costs(rows):
    mean = {name: sum(rows[1][f"loss_{name}_db"]) / 3 for name in ("plain", "blind", "coupled")}
    assert mean["coupled"] < 0.2 * min(mean["plain"], mean["blind"])
    assert rows[1]["coupling_gain_rx_db"] > 10 and rows[1]["coupling_gain_tx_db"] > 10
    # of six directions: twice the bound is beyond all but 5e-4 of such sets (chi-square of six)
    assert rows[1]["hits_coupled"] == 1.0 and rows[1]["rmse_coupled_deg"] < 2 * rows[1]["bound_deg"]

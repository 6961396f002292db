"""The table [coupling.directional] of a specification."""

import pytest

from doamc.coupling.directional import DirectionalFamily
from doamc.errors import EstimatorError, SpecificationError
from doamc.spec import SHIPPED, load_spec
from doamc.spec.coupling import require_one_coupling
from tests.doamc.helpers.scenes import edited_spec


def written(tmp_path, table: str):
    text = (SHIPPED / "ula8.toml").read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(text.replace("[sources]", f"{table}\n[sources]"), encoding="utf-8")
    return load_spec(path)


def test_a_table_written_is_read_back(tmp_path):
    spec = written(tmp_path, "[coupling.directional]\norder = 2\nspread_db = -6.0\ndecay = 0.25\n")
    assert spec.coupling["directional"] == {"order": 2, "spread_db": -6.0, "decay": 0.25}
    assert isinstance(spec.family, DirectionalFamily) and spec.family.n_blocks == 5 and spec.directional
    assert spec.digest != load_spec("ula8").digest  # weights of one are not those of the other


def test_what_is_left_out_has_the_values_of_the_documentation(tmp_path):
    spec = written(tmp_path, "[coupling.directional]\norder = 1\n")
    assert spec.coupling["directional"] == {"order": 1, "spread_db": -10.0, "decay": 0.5}


def test_on_the_sphere_there_are_as_many_functions_as_spherical_harmonics():
    assert edited_spec("panel16", coupling={"directional": {"order": 2}}).family.n_blocks == 9


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({}, "expected 'order' in"),
        ({"order": 5}, "order must be a whole number in 0..4, found 5"),
        ({"order": 1.0}, "order must be a whole number"),
        ({"order": 1, "spread_db": 3}, "spread_db must be a number from -100 to 0"),
        ({"order": 1, "decay": 2}, "decay must be a number from 0 to 1"),
        ({"order": 1, "spread": -3}, "takes decay, order, spread_db, found 'spread'"),
        (3, r"expected a table \[coupling.directional\], found 3"),
    ],
)
def test_wrong_entries_are_named(entries, message):
    with pytest.raises(SpecificationError, match=message):
        edited_spec("ula8", coupling={"directional": entries})


def test_drawn_antennas_have_their_own():
    with pytest.raises(SpecificationError, match="found family 'drawn', whose response depends on direction by itself"):
        edited_spec("kraken5", coupling={"directional": {"order": 1}})


def test_a_scan_knows_one_coupling():
    spec = edited_spec("ula8", coupling={"directional": {"order": 1}})
    with pytest.raises(SpecificationError, match=r"a scan .* knows one coupling.*found \[coupling.directional\]"):
        require_one_coupling(spec, "a scan of a band")
    require_one_coupling(edited_spec("ula8", coupling={"directional": {"order": 0}}), "a scan of a band")


def test_methods_of_one_coupling_are_told_of_the_table():
    spec = edited_spec("ula8", coupling={"directional": {"order": 1}})
    with pytest.raises(EstimatorError, match=r"same from everywhere, found \[coupling.directional\] in ula8"):
        _ = spec.plain_family
    assert spec.coefficient_family.name == "symmetric-toeplitz"

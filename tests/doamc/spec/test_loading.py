"""Specifications from names, files and tables, at a frequency too."""

import math

import pytest

from doamc.errors import SpecificationError
from doamc.spec import ArraySpec, load_spec, parse_spec, shipped_arrays
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.spec.tables import table


def test_the_arrays_that_ship_all_load():
    names = [
        "dipole8", "dipole8wide", "dome8", "kraken5", "krakensdr", "panel16", "seed16", "uca16", "uca5", "ula4", "ula8",
    ]  # fmt: skip
    assert shipped_arrays() == names
    for name in shipped_arrays():
        spec = load_spec(name)
        assert isinstance(spec, ArraySpec) and spec.name == name and spec.description
        assert spec.positions.shape == (spec.n_elements, 3)
        assert spec.family.n_elements == spec.n_elements


def test_shipped_values_are_those_of_the_design():
    ula8, uca5, seed16 = (load_spec(n) for n in ("ula8", "uca5", "seed16"))
    assert (ula8.n_elements, ula8.azimuth_deg, ula8.min_separation_deg) == (8, (-60.0, 60.0), 8.0)
    assert ula8.family.magnitude.tolist() == [[0.18, 0.45], [0.08, 0.20]] and ula8.family.name == "symmetric-toeplitz"
    assert uca5.positions.norm(dim=1).tolist() == pytest.approx([0.35] * 5)
    assert uca5.full_circle and not ula8.full_circle
    assert seed16.n_elements == 16 and seed16.family.hermitian
    assert seed16.family.magnitude.mean(1).tolist() == pytest.approx([0.06, 0.036, 0.0216])
    assert seed16.family.phase_rad == pytest.approx(math.pi / 6)


def test_optional_entries_have_defaults():
    short = table(sources=None, snapshots=None, description=None, sector__min_separation_deg=None)
    short["coupling"].pop("phase_deg")
    spec = parse_spec(short)
    assert (spec.source_count, spec.power_db, spec.snapshot_count) == ((1, 2), (-6.0, 0.0), (1, 1000))
    assert (spec.snr_db, spec.min_separation_deg, spec.description) == ((-12.0, 40.0), 5.0, "")
    assert spec.family.phase_rad == pytest.approx(math.pi)


def test_a_file_is_read_and_a_specification_passes_through(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        'name = "mine"\n[geometry]\nkind = "uca"\nelements = 7\nradius_wavelengths = 0.5\n'
        "[sector]\nazimuth_deg = [-180, 180]\n"
        '[coupling]\nfamily = "circulant"\nmagnitude = [[0.1, 0.2]]\n',
        encoding="utf-8",
    )
    spec = load_spec(file)
    assert (spec.name, spec.n_elements, spec.full_circle) == ("mine", 7, True)
    assert load_spec(str(file)).digest == spec.digest
    assert load_spec(spec) is spec


def test_an_unknown_array_lists_the_known_ones(tmp_path):
    known = ", ".join(shipped_arrays())
    with pytest.raises(SpecificationError, match=f"one of {known} or a TOML file, found 'ula9'"):
        load_spec("ula9")
    with pytest.raises(SpecificationError, match="or a TOML file"):
        load_spec(tmp_path)  # a folder


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe\x00", b"[geometry\n"])
def test_a_file_that_is_no_toml_is_refused_by_name(tmp_path, content):
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(SpecificationError, match=r"bad\.toml: not a TOML file"):
        load_spec(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a = " + "[" * 100_000, "nested too deeply|not a TOML file"),
        ("a = " + "9" * 10_000, "not a TOML file"),
        ("# " + "x" * (1 << 18), "at most 256 KiB, found a larger one"),
    ],
    ids=["depth", "digits", "size"],
)
def test_a_file_beyond_reason_is_refused(tmp_path, content, message):
    file = tmp_path / "bad.toml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SpecificationError, match=message):
        load_spec(file)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b", "", "../.."], ids=["long", "null", "empty", "folder"])
def test_a_name_that_no_file_has_is_refused(name):
    with pytest.raises(SpecificationError, match="or a TOML file, found") as caught:
        load_spec(name)
    assert len(str(caught.value)) < 300


def test_an_error_in_a_file_names_the_file(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('name = "bad"\n', encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"bad\.toml: expected a table \[geometry\], found none"):
        load_spec(file)


@pytest.mark.parametrize("kind", ["circle", "line"])
def test_separations_that_just_fit_are_taken(kind):
    """Four sources 40 degrees apart just fit a line of 120 degrees, three 120 apart a circle."""
    if kind == "line":
        spec = parse_spec(table(sources__count=[1, 4], sector__min_separation_deg=40))
    else:
        spec = edited_spec("uca5", sources={"count": [1, 3]}, sector={"min_separation_deg": 120.0})
    assert spec.source_count[1] == (4 if kind == "line" else 3)


def test_a_name_with_a_frequency_fixes_it(tmp_path):
    path = tmp_path / "ring.toml"
    path.write_text(
        'name = "ring"\n[geometry]\nkind = "uca"\nelements = 5\nradius_m = 0.25\n[sector]\nazimuth_deg = [0.0, 360.0]\n'
        '[coupling]\nfamily = "circulant"\nmagnitude = [[0.2, 0.4], [0.1, 0.2]]\n'
    )
    with pytest.raises(SpecificationError, match="found no frequency"):
        load_spec(path)
    assert load_spec(path, tunable=True).in_metres
    assert load_spec(f"{path}@400e6", tunable=True).frequency_hz == 400e6
    path.write_text(path.read_text().replace("radius_m", "frequency_hz = 1.0\nradius_wavelengths"))
    with pytest.raises(SpecificationError, match="found 'frequency_hz'"):  # it belongs at the top
        load_spec(path)
    path.write_text("frequency_hz = 300e6\n" + path.read_text().replace("frequency_hz = 1.0\n", ""))
    assert load_spec(path).frequency_hz == 300e6
    assert load_spec(f"{path}@600e6").positions.norm(dim=1).tolist() == pytest.approx([0.5] * 5)  # scaled
    assert load_spec(f"{path}@600e6").digest != load_spec(path).digest == load_spec(f"{path}@300e6").digest


def test_the_frequency_of_an_antenna_and_of_its_wavelengths_agree():
    wide = dict(load_spec("dipole8wide").table)
    assert load_spec("dipole8wide").frequency_hz == 300e6 and load_spec("dipole8wide@200e6").frequency_hz == 200e6
    with pytest.raises(SpecificationError, match="must be design_frequency_hz"):
        parse_spec(wide | {"frequency_hz": 200e6})

import copy
import math

import pytest

from doamc.errors import SpecificationError
from doamc.spec import ArraySpec, load_spec, parse_spec, shipped_arrays
from tests.doamc.helpers.scenes import edited_spec

NAN = math.nan


def table(**changes):
    """The table of ula8; section__key=value replaces an entry, section=value a section, None removes."""
    out = copy.deepcopy(dict(load_spec("ula8").table))
    for path, value in changes.items():
        section, _, key = path.partition("__")
        place, name = (out[section], key) if key else (out, section)
        if value is None:
            place.pop(name)
        else:
            place[name] = value
    return out


def points(*rows):
    return {"kind": "positions", "points_wavelengths": [list(r) for r in rows]}


def test_the_arrays_that_ship_all_load():
    assert shipped_arrays() == ["dipole8", "dipole8wide", "kraken5", "krakensdr", "seed16", "uca5", "ula4", "ula8"]
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


def test_sector_is_in_radians_inside():
    assert load_spec("ula8").sector_rad == pytest.approx((-math.pi / 3, math.pi / 3))


def test_every_geometry_kind_has_its_positions():
    ula = edited_spec("ula4", geometry={"spacing_wavelengths": 0.4})
    assert ula.positions[:, 1].tolist() == pytest.approx([0.0, 0.4, 0.8, 1.2])
    assert edited_spec("ula4", geometry={"elements": 6}).n_elements == 6
    ura = parse_spec(table(geometry={"kind": "ura", "rows": 2, "columns": 4}))
    assert ura.n_elements == 8 and ura.positions[5].tolist() == [0.0, 0.5, 0.5]
    flat = parse_spec(table(geometry=points((0, 0), (1, 0), (0, 1), (1, 2)), sources__count=[1, 3]))
    assert flat.n_elements == 4 and flat.positions.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 2, 0]]
    deep = parse_spec(table(geometry=points((0, 0, 1), (1, 0, 2), (0, 1, 3)), sources__count=[1, 2]))
    assert deep.positions[:, 2].tolist() == [1, 2, 3]


def test_optional_entries_have_defaults():
    short = table(sources=None, snapshots=None, description=None, sector__min_separation_deg=None)
    short["coupling"].pop("phase_deg")
    spec = parse_spec(short)
    assert (spec.source_count, spec.power_db, spec.snapshot_count) == ((1, 2), (-6.0, 0.0), (1, 1000))
    assert (spec.snr_db, spec.min_separation_deg, spec.description) == ((-12.0, 40.0), 5.0, "")
    assert spec.family.phase_rad == pytest.approx(math.pi)


@pytest.mark.parametrize(
    "changes",
    [
        {"geometry__spacing_wavelengths": 0.45},
        {"geometry__elements": 7},
        {"sector__azimuth_deg": [-60.0, 50.0]},
        {"sector__min_separation_deg": 9.0},
        {"coupling__magnitude": [[0.18, 0.45], [0.08, 0.21]]},
        {"coupling__phase_deg": 90.0},
    ],
)
def test_digest_changes_with_geometry_sector_and_coupling(changes):
    assert parse_spec(table(**changes)).digest != load_spec("ula8").digest


@pytest.mark.parametrize(
    "changes",
    [{"name": "other"}, {"description": "x"}, {"sources__power_db": [-3.0, 0.0]}, {"snapshots__count": [1, 9]}],
)
def test_digest_does_not_change_with_what_a_network_may_ignore(changes):
    assert parse_spec(table(**changes)).digest == load_spec("ula8").digest


def test_digest_does_not_depend_on_the_order_of_entries():
    turned = {k: dict(reversed(v.items())) if isinstance(v, dict) else v for k, v in reversed(table().items())}
    assert parse_spec(turned).digest == load_spec("ula8").digest


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


def test_largest_arrays_are_made():
    """At the stated limits: 256 elements, and 2^21 entries of derivatives."""
    spec = edited_spec("ula8", geometry={"elements": 256}, coupling={"magnitude": [[0.0, 0.1]] * 16})
    assert spec.positions.shape == (256, 3) and spec.family.basis.numel() == 1 << 21


def test_an_error_in_a_file_names_the_file(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('name = "bad"\n', encoding="utf-8")
    with pytest.raises(SpecificationError, match=r"bad\.toml: expected a table \[geometry\], found none"):
        load_spec(file)


WRONG = {
    "no name": ({"name": None}, "expected a string 'name', found 'none'"),
    "name no string": ({"name": 3}, "expected a string 'name', found 3"),
    "empty name": ({"name": ""}, "name must be 1 to 64 letters, digits, dashes and underscores"),
    "name with a folder": ({"name": "../../../x"}, "name must be 1 to 64 letters.*found '../../../x'"),
    "name with a space": ({"name": "my roof"}, "name must be 1 to 64 letters"),
    "name with an escape": ({"name": "a\x1b[2J"}, "name must be 1 to 64 letters"),
    "name of two lines": ({"name": "a\n"}, "name must be 1 to 64 letters"),
    "long name": ({"name": "x" * 65}, "name must be 1 to 64 letters"),
    "long description": ({"description": "x" * 501}, "description must be one line of at most 500 characters"),
    "description no string": ({"description": 3}, "description must be one line"),
    "description with an escape": ({"description": "a\x1b[2J"}, "description must be one line"),
    "no geometry": ({"geometry": None}, r"expected a table \[geometry\], found none"),
    "geometry no table": ({"geometry": 3}, r"expected a table \[geometry\], found 3"),
    "no kind": ({"geometry__kind": None}, r"expected 'kind' in \[geometry\], found elements, spacing_wavelengths"),
    "unknown kind": ({"geometry__kind": "spiral"}, "kind must be one of ula, uca, ura, positions, found 'spiral'"),
    "kind no string": ({"geometry__kind": ["ula"]}, "geometry kind must be one of"),
    "no elements": ({"geometry__elements": None}, "geometry 'ula' needs elements"),
    "no radius": ({"geometry": {"kind": "uca", "elements": 5}}, "geometry 'uca' needs radius_wavelengths"),
    "misspelt key": (
        {"geometry__spacing": 0.4},
        r"takes channels, elements, kind, order, spacing_wavelengths, found 'spacing'",
    ),
    "elements in words": ({"geometry__elements": "eight"}, "a whole number in 2..256, found 'eight'"),
    "elements and a half": ({"geometry__elements": 8.5}, "whole number in 2..256, found 8.5"),
    "elements true": ({"geometry__elements": True}, "whole number in 2..256, found True"),
    "one element": ({"geometry__elements": 1}, "whole number in 2..256, found 1"),
    "a billion elements": ({"geometry__elements": 10**9}, "whole number in 2..256"),
    "elements of hexadecimal depth": ({"geometry__elements": 16**9999}, "found a int too large to show"),
    "a great rectangle": (
        {"geometry": {"kind": "ura", "rows": 128, "columns": 128}},
        "rows times columns must be at most 256, found 128",
    ),
    "points far away": ({"geometry": points((0, 0), (1e5, 0))}, "from -10000 to 10000"),
    "many points": ({"geometry": points(*[(k, 0) for k in range(10_000)])}, r"found 10000, \[\[0, 0\], .*…$"),
    "spacing beyond floats": ({"geometry__spacing_wavelengths": 10**400}, "must be a number from 0.001 to 1000"),
    "spacing in words": ({"geometry__spacing_wavelengths": "half"}, "a number from 0.001 to 1000, found 'half'"),
    "negative spacing": ({"geometry__spacing_wavelengths": -0.5}, "must be a number from 0.001 to 1000, found -0.5"),
    "ragged points": ({"geometry": points((0, 0), (1,), (2, 0))}, r"points_wavelengths must be 2 to 256 points"),
    "mixed points": ({"geometry": points((0, 0), (1, 0, 0))}, "all alike"),
    "points of nan": ({"geometry": points((0, 0), (NAN, 0))}, "of numbers from -10000 to 10000"),
    "one point": ({"geometry": points((0, 0))}, "must be 2 to 256 points"),
    "four coordinates": ({"geometry": points((0, 0, 0, 0), (1, 0, 0, 0))}, "must be 2 to 256 points"),
    "no sector": ({"sector": None}, r"expected a table \[sector\], found none"),
    "no azimuth": ({"sector__azimuth_deg": None}, r"expected 'azimuth_deg' in \[sector\]"),
    "sector in words": ({"sector__azimuth_deg": "all"}, r"azimuth_deg must be \[low, high\] .*, found 'all'"),
    "three azimuths": ({"sector__azimuth_deg": [0, 1, 2]}, r"azimuth_deg must be \[low, high\]"),
    "turned sector": ({"sector__azimuth_deg": [60, -60]}, r"azimuth_deg must be \[low, high\] with low <= high"),
    "no sector width": ({"sector__azimuth_deg": [5, 5]}, "the sector must be 0 to 360 deg wide, found 0"),
    "wide sector": ({"sector__azimuth_deg": [0, 400]}, "the sector must be 0 to 360 deg wide, found 400"),
    "negative separation": ({"sector__min_separation_deg": -1}, "min_separation_deg must be a number from 0 to 360"),
    "separation of nan": ({"sector__min_separation_deg": NAN}, "min_separation_deg must be a number from 0 to 360"),
    "too wide a separation": ({"sector__min_separation_deg": 41}, "do not fit the sector"),
    "misspelt separation": ({"sector__min_seperation_deg": 5}, "found 'min_seperation_deg'"),
    "no coupling": ({"coupling": None}, r"expected a table \[coupling\], found none"),
    "no family": ({"coupling__family": None}, r"expected 'family' in \[coupling\]"),
    "unknown family": ({"coupling__family": "magic"}, "coupling family must be one of .*, found 'magic'"),
    "family no string": ({"coupling__family": [1]}, r"\[coupling\] family must be a name, found \[1\]"),
    "flat magnitude": ({"coupling__magnitude": [0.1, 0.2]}, r"magnitude must be ranges \[\[low, high\], ...\]"),
    "turned magnitude": ({"coupling__magnitude": [[0.2, 0.1]]}, "magnitude must be ranges"),
    "negative magnitude": ({"coupling__magnitude": [[-0.2, 0.1]]}, "magnitude must be ranges"),
    "no magnitude": ({"coupling__magnitude": []}, "takes 1 to 7 magnitude ranges, found 0"),
    "too many bands": ({"coupling__magnitude": [[0, 0.1]] * 8}, "takes 1 to 7 magnitude ranges, found 8"),
    "negative phase": ({"coupling__phase_deg": -3}, "phase_deg must be a number from 0 to 180, found -3"),
    "phase in words": ({"coupling__phase_deg": "any"}, "phase_deg must be a number from 0 to 180, found 'any'"),
    "diagonal above one": ({"coupling__diagonal": 1.5}, "diagonal must be a number from 0 to 1, found 1.5"),
    "sources no table": ({"sources": 3}, r"expected a table \[sources\], found 3"),
    "no source": ({"sources__count": [0, 2]}, r"\[sources\] count must be whole numbers \[low, high\] from 1 on"),
    "half a source": ({"sources__count": [1, 2.5]}, r"whole numbers \[low, high\] from 1 on, found \[1, 2.5\]"),
    "P = N": ({"sources__count": [1, 8]}, r"source count must lie in 1..7, found \[1, 8\]"),
    "powers beyond floats": ({"sources__power_db": [0, 10**400]}, "power_db must lie within -200 to 200"),
    "SNR of 1e300": ({"snapshots__snr_db": [0, 1e300]}, "snr_db must lie within -200 to 200, found"),
    "sector far round": ({"sector__azimuth_deg": [1e6, 1e6 + 90]}, "azimuth_deg must lie within -720 to 720"),
    "L = 1e300": ({"snapshots__count": [1, 1e300]}, "count must lie within"),
    "magnitude of 1e300": ({"coupling__magnitude": [[0, 1e300]]}, "0 <= low <= high <= 10"),
    "ten thousand ranges": ({"coupling__magnitude": [[0, 0.1]] * 10_000}, "takes 1 to 7 magnitude ranges, found 10000"),
    "coefficients beyond memory": (
        {"geometry__elements": 200, "coupling__family": "reciprocal", "coupling__magnitude": [[0, 0.1]] * 199},
        r"40198 real parameters of coupling times 200\^2 elements must be at most 2097152, found 1607920000",
    ),
    "turned powers": ({"sources__power_db": [0, -6]}, r"\[sources\] power_db must be \[low, high\]"),
    "L = 0": ({"snapshots__count": [0, 10]}, r"\[snapshots\] count must be whole numbers"),
    "infinite SNR": ({"snapshots__snr_db": [0, math.inf]}, r"\[snapshots\] snr_db must be \[low, high\]"),
    "misspelt SNR": ({"snapshots__snr": [0, 10]}, r"\[snapshots\] takes count, snr_db, found 'snr'"),
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_named(changes, message):
    with pytest.raises(SpecificationError, match=message):
        parse_spec(table(**changes))


@pytest.mark.parametrize("kind", ["circle", "line"])
def test_separations_that_just_fit_are_taken(kind):
    """Four sources 40 degrees apart just fit a line of 120 degrees, three 120 apart a circle."""
    if kind == "line":
        spec = parse_spec(table(sources__count=[1, 4], sector__min_separation_deg=40))
    else:
        spec = edited_spec("uca5", sources={"count": [1, 3]}, sector={"min_separation_deg": 120.0})
    assert spec.source_count[1] == (4 if kind == "line" else 3)


def metres(**top):
    """uca5 with a radius of a quarter of a metre."""
    return table(geometry={"kind": "uca", "elements": 5, "radius_m": 0.25}, sector__azimuth_deg=[0.0, 360.0],
                 coupling={"family": "circulant", "magnitude": [[0.2, 0.4], [0.1, 0.2]]},
                 sources__count=[1, 2]) | top  # fmt: skip


def test_lengths_in_metres_become_wavelengths_at_a_frequency():
    spec, light = parse_spec(metres()), 299_792_458.0
    assert spec.in_metres and spec.n_elements == 5 and spec.frequency_hz is None
    tuned = spec.tuned(light)  # a wavelength of one metre
    assert not tuned.in_metres and tuned.frequency_hz == light and tuned.tuned(5.0) is tuned
    assert tuned.geometry == {"kind": "uca", "elements": 5, "radius_wavelengths": 0.25}
    assert parse_spec(tuned.table).digest == tuned.digest != spec.tuned(2 * light).digest
    line = parse_spec(table(geometry={"kind": "ula", "elements": 8, "spacing_m": 0.5})).tuned(light / 2)
    assert line.positions[:, 1].tolist() == pytest.approx([0.25 * m for m in range(8)])
    some = {"kind": "positions", "points_m": [[0, 0, 1], [1, 0, 2], [0, 1, 3]]}
    placed = parse_spec(table(geometry=some, sources__count=[1, 2]))
    assert placed.n_elements == 3 and placed.tuned(light * 3).positions.tolist() == [[0, 0, 3], [3, 0, 6], [0, 3, 9]]


def test_a_frequency_of_its_own_is_the_default_and_what_weights_are_made_for():
    spec = parse_spec(metres(frequency_hz=400e6))
    assert spec.tuned(None).frequency_hz == 400e6 and spec.positions.equal(spec.tuned(400e6).positions)
    near, far = spec.tuned(401e6), spec.tuned(404e6)
    assert near.digest == spec.tuned(None).digest != far.digest  # weights serve within 0.5 %
    assert near.positions.norm(dim=1)[0].item() == pytest.approx(0.25 * 401e6 / 299_792_458.0)  # geometry is exact
    with pytest.raises(SpecificationError, match="found no frequency"):
        parse_spec(metres()).tuned(None)
    with pytest.raises(SpecificationError, match="found no frequency"):
        _ = parse_spec(metres()).positions


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


def test_priors_of_antennas_hold_at_their_frequency_or_over_their_range():
    wide = dict(load_spec("dipole8wide").table)
    length = 0.5 * 299_792_458.0 / 300e6
    spec = parse_spec(wide | {"geometry": {"kind": "ula", "elements": 8, "spacing_m": length}})
    tuned, named = spec.tuned(200e6), load_spec("dipole8wide@200e6")
    assert tuned.positions.allclose(named.positions) and tuned.frequency == pytest.approx(named.frequency)
    assert tuned.family.mean.allclose(named.family.mean)
    assert tuned.digest == spec.tuned(300e6).digest  # one network over the range
    assert parse_spec(tuned.table).digest == tuned.digest  # as a checkpoint keeps it
    other = parse_spec(spec.table | {"frequency_hz": 200e6}).tuned(None)
    assert other.frequency_hz == 200e6 and parse_spec(other.table).digest == tuned.digest
    one = dict(load_spec("dipole8").table) | {"geometry": spec.geometry}
    with pytest.raises(SpecificationError, match="design_frequency_hz, which is missing"):
        parse_spec(one).tuned(300e6)
    held = parse_spec(one | {"antenna": one["antenna"] | {"design_frequency_hz": 300e6}})
    assert held.tuned(301e6).family.n_elements == 8
    with pytest.raises(SpecificationError, match=r"holds at 3e\+08 Hz, found 4e\+08 Hz"):
        held.tuned(400e6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"geometry": {"kind": "uca", "elements": 5, "radius_m": 0.2, "radius_wavelengths": 0.3}}, "found both"),
        ({"geometry": {"kind": "uca", "elements": 5, "radius_m": -1.0}}, "radius_m must be a number"),
        ({"geometry": {"kind": "uca", "elements": 5, "radius_m": NAN}}, "radius_m must be a number"),
        (
            {"geometry": {"kind": "uca", "elements": 5, "spacing_m": 1.0}},
            "takes channels, elements, kind, order, radius_wavelengths",
        ),
        ({"geometry": {"kind": "positions", "points_m": [[0, 0]]}}, "points_m must be 2 to 256"),
        ({"frequency_hz": "high"}, "frequency_hz must be a number"),
        ({"frequency_hz": 0.0}, "frequency_hz must be a number"),
    ],
)
def test_wrong_lengths_and_frequencies_are_named(changes, words):
    with pytest.raises(SpecificationError, match=words):
        parse_spec(metres(**changes))


def test_wavelengths_out_of_range_are_refused_when_tuned():
    with pytest.raises(SpecificationError, match=r"0\.001 to 1000 wavelengths"):
        parse_spec(metres()).tuned(1.0)
    for hertz in (1e300, 1e-300, -1.0, NAN, math.inf):
        with pytest.raises(SpecificationError, match="1 Hz to 1 THz"):
            parse_spec(metres()).tuned(hertz)


def test_the_frequency_of_an_antenna_and_of_its_wavelengths_agree():
    wide = dict(load_spec("dipole8wide").table)
    assert load_spec("dipole8wide").frequency_hz == 300e6 and load_spec("dipole8wide@200e6").frequency_hz == 200e6
    with pytest.raises(SpecificationError, match="must be design_frequency_hz"):
        parse_spec(wide | {"frequency_hz": 200e6})


def test_another_family_stands_in_for_that_of_the_table_and_goes_at_another_frequency():
    spec, other = load_spec("ula8"), load_spec("uca5").family
    changed = spec.with_family(other)
    assert changed.family is other and spec.family is not other
    assert changed == spec and changed.digest == spec.digest  # weights belong to the array as it is in the file
    assert changed.at(1.1).family is not other


def test_noise_power_has_the_range_of_snr_and_room_beyond():
    assert edited_spec("ula8", snapshots={"snr_db": [-5.0, 15.0]}).noise_db == (-35.0, 15.0)

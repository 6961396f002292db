"""Which element each stream comes from, and how the array is turned on its mast, as a specification says it."""

import copy

import pytest

from doamc.errors import SpecificationError
from doamc.spec import Mount, load_spec, parse_spec
from doamc.spec.numbering import renumbered


def spec_of(name="uca5", mount=None, **geometry):
    table = copy.deepcopy(dict(load_spec(name).table))
    table["geometry"] |= geometry
    return parse_spec(table if mount is None else table | {"mount": mount})


def test_streams_are_elements_unless_told_otherwise():
    for spec in (load_spec("ula8"), load_spec("kraken5"), spec_of(order="counter-clockwise")):
        assert spec.channels == tuple(range(spec.n_elements)) and not renumbered(spec.channels)
    assert load_spec("ula8").mount is None


def test_a_clockwise_circle_numbers_the_streams_the_other_way_round():
    spec = spec_of(order="clockwise")
    assert spec.channels == (0, 4, 3, 2, 1) and renumbered(spec.channels)
    assert spec.positions.tolist() == load_spec("uca5").positions.tolist()  # elements keep their places


def test_any_geometry_may_have_any_numbering():
    assert spec_of(channels=[2, 0, 4, 1, 3]).channels == (2, 0, 4, 1, 3)
    assert spec_of("ula4", channels=[3, 2, 1, 0]).channels == (3, 2, 1, 0)
    assert not renumbered(spec_of(channels=[0, 1, 2, 3, 4]).channels)


def test_numbering_stays_at_every_frequency_and_fingerprints_do_not_count_it():
    spec, plain = spec_of(order="clockwise", mount={"offset_deg": 10.0}), load_spec("uca5")
    assert spec.digest == plain.digest and spec.at(1.5).digest == plain.at(1.5).digest
    assert spec.at(1.5).channels == spec.channels and spec.at(1.5).mount == spec.mount
    metres = {"kind": "uca", "elements": 5, "radius_m": 0.2, "order": "clockwise"}
    tuned = parse_spec(dict(plain.table) | {"geometry": metres}).tuned(433e6)
    assert tuned.channels == spec.channels and "order" not in tuned.geometry


@pytest.mark.parametrize(
    ("name", "geometry", "words"),
    [
        (
            "uca5",
            {"order": "anticlockwise"},
            r"order must be one of counter-clockwise, clockwise, found 'anticlockwise'",
        ),
        ("uca5", {"order": 1}, "order must be one of"),
        ("ula8", {"order": "clockwise"}, r"order is for circles \(kind 'uca'\), found it with 'ula'; use channels"),
        ("uca5", {"order": "clockwise", "channels": [0, 1, 2, 3, 4]}, "takes order or channels, found both"),
        ("uca5", {"channels": [0, 1, 2, 3]}, r"channels must be the element of each of 5 streams, each of 0\.\.4 once"),
        ("uca5", {"channels": [0, 1, 2, 3, 3]}, "each of 0..4 once"),
        ("uca5", {"channels": [1, 2, 3, 4, 5]}, "each of 0..4 once"),
        ("uca5", {"channels": [0, 1, 2, 3, True]}, "each of 0..4 once"),
        ("uca5", {"channels": [0.0, 1, 2, 3, 4]}, "each of 0..4 once"),
        ("uca5", {"channels": "01234"}, "each of 0..4 once"),
    ],
)
def test_wrong_numberings_are_named(name, geometry, words):
    with pytest.raises(SpecificationError, match=words):
        spec_of(name, **geometry)


def test_a_mount_gives_the_true_bearing_of_the_x_axis():
    assert spec_of(mount={"offset_deg": 90}).mount == Mount(90.0, "true", 0.0)
    magnetic = spec_of(mount={"offset_deg": 350.0, "north": "magnetic", "declination_deg": 13.5}).mount
    assert magnetic.heading_deg == pytest.approx(3.5)  # magnetic north lies 13.5 deg east of true north
    assert Mount(-1e-14).heading_deg < 360.0


@pytest.mark.parametrize(
    ("mount", "words"),
    [
        ({}, "expected 'offset_deg' in \\[mount\\], found nothing"),
        ({"offset_deg": 400.0}, "offset_deg must be a number from -360 to 360"),
        ({"offset_deg": 0.0, "offset": 1.0}, "takes declination_deg, north, offset_deg, found 'offset'"),
        ({"offset_deg": 0.0, "north": "grid"}, "north must be one of true, magnetic, found 'grid'"),
        ({"offset_deg": 0.0, "north": "magnetic"}, "needs declination_deg beside it"),
        ({"offset_deg": 0.0, "declination_deg": 3.0}, "needs no declination_deg"),
    ],
)
def test_wrong_mounts_are_named(mount, words):
    with pytest.raises(SpecificationError, match=words):
        spec_of(mount=mount)


def test_krakensdr_is_kraken5_numbered_clockwise():
    ours, kraken5 = load_spec("krakensdr"), load_spec("kraken5")
    assert ours.digest == kraken5.digest and ours.positions.tolist() == kraken5.positions.tolist()
    assert ours.channels == (0, 4, 3, 2, 1) and ours.names == ("krakensdr", "kraken5")
    assert kraken5.names == ("kraken5",) and kraken5.like is None


def written(path, text):
    path.write_text(text)
    return path


def test_a_roof_is_like_a_shipped_array_but_for_what_it_says(tmp_path):
    text = 'name = "roof"\nlike = "krakensdr"\n[mount]\noffset_deg = 37.0\n'
    roof = load_spec(written(tmp_path / "roof.toml", text))
    assert roof.channels == (0, 4, 3, 2, 1) and roof.mount == Mount(37.0) and roof.description == ""
    assert roof.names == ("roof", "kraken5") and roof.coupling["family"] == "drawn"
    channels = load_spec(written(tmp_path / "b.toml", text + "[geometry]\nchannels = [1, 0, 2, 3, 4]\n"))
    assert channels.channels == (1, 0, 2, 3, 4)  # in place of the order
    larger = load_spec(written(tmp_path / "c.toml", text + "[geometry]\nradius_m = 0.3\n"), tunable=True)
    assert larger.geometry == {"kind": "uca", "elements": 5, "radius_m": 0.3} and larger.channels == (0, 4, 3, 2, 1)
    line = 'name = "line"\nlike = "ula8"\n[geometry]\nspacing_wavelengths = 0.45\n'
    other = load_spec(written(tmp_path / "d.toml", line))
    assert other.names == ("line",)  # weights of ula8 do not fit
    square = load_spec(
        written(tmp_path / "e.toml", 'name = "e"\nlike = "ula8"\n[geometry]\nkind = "ura"\nrows = 2\ncolumns = 4\n')
    )
    assert square.geometry == {"kind": "ura", "rows": 2, "columns": 4}


@pytest.mark.parametrize("like", ['"nowhere"', '"roof.toml"', "3", "[]"])
def test_only_a_shipped_array_can_be_likened_to(tmp_path, like):
    with pytest.raises(SpecificationError, match=r"like must be another of dipole8, .*, found"):
        load_spec(written(tmp_path / "roof.toml", f'name = "roof"\nlike = {like}\n'))

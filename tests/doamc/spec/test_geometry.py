"""The table [geometry]: every kind, lengths in metres, and wrong entries by name."""

import math

import pytest

from doamc.errors import SpecificationError
from doamc.spec import parse_spec
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.spec.tables import NAN, metres, points, table


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


WRONG = {
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
}


@pytest.mark.parametrize(("changes", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_entry_is_named(changes, message):
    with pytest.raises(SpecificationError, match=message):
        parse_spec(table(**changes))


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

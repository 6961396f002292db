import numpy as np
import pytest

from doamc.antenna import parse_antenna
from doamc.antenna.site import load_site
from doamc.errors import SpecificationError

LINE = """name = "line"
[geometry]
kind = "ula"
elements = 3
[sector]
azimuth_deg = [-50.0, 50.0]
[coupling]
family = "drawn"
prior = "not-made-yet"
"""
ANTENNA = """[antenna]
element = "dipole"
length_wavelengths = 0.48
"""


def site_of(tmp_path, text):
    path = tmp_path / "line.toml"
    path.write_text(text)
    return load_site(path)


def test_the_prior_that_a_specification_names_may_be_missing(tmp_path):
    site = site_of(tmp_path, LINE + ANTENNA)
    assert site.name == "line" and site.antenna.length == 0.48 and site.sector_deg == (-50.0, 50.0)
    np.testing.assert_array_equal(site.positions, [[0, 0], [0, 0.5], [0, 1.0]])


def test_every_length_grows_with_frequency(tmp_path):
    mast = "[antenna.mast]\nposition_wavelengths = [1.0, 2.0]\nbottom_wavelengths = -1.0\ntop_wavelengths = 3.0\n"
    text = LINE + ANTENNA + "design_frequency_hz = 400e6\n" + mast + "radius_wavelengths = 0.02\n"
    site = site_of(tmp_path, text).at(500e6)
    assert site.positions[2, 1] == pytest.approx(1.25)
    a = site.antenna
    assert (a.length, a.radius, a.mast.radius) == pytest.approx((0.6, 1.25e-3, 0.025))
    assert (*a.mast.position, a.mast.bottom, a.mast.top) == pytest.approx((1.25, 2.5, -1.25, 3.75))
    assert a.segments == 21 and a.load == 50
    tuned = site_of(tmp_path, text.replace("[antenna.mast]", "tuned = true\n[antenna.mast]")).at(500e6)
    assert (tuned.antenna.length, tuned.antenna.radius) == pytest.approx((0.48, 1.25e-3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LINE, r"expected a table \[antenna\]"),
        (LINE + ANTENNA.replace("dipole", "loop"), "one of dipole, monopole, found 'loop'"),
        (LINE + ANTENNA + "lenght = 1\n", "found 'lenght'"),
        (LINE + ANTENNA + "blocks = 4\n", "odd"),
        (LINE + ANTENNA + "load_ohm = [-1.0, 0.0]\n", "resistance >= 0"),
        (LINE + ANTENNA + "load_ohm = 50\n", "two numbers"),
        (LINE + ANTENNA + "segments = 2\n", "3..201"),
        (LINE + ANTENNA + "[antenna.draws]\nwind = 1.0\n", "found 'wind'"),
        (LINE + ANTENNA + "[antenna.draws]\ngain_db = [0.1, -0.2]\n", "both >= 0"),
        (LINE + ANTENNA + "[antenna.draws]\nradius_factor = 0.5\n", "from 1 to 10"),
        (LINE + ANTENNA + "[antenna.mast]\n", "expected 'bottom_wavelengths'"),
        (LINE.replace('kind = "ula"\nelements = 3', 'kind = "ura"\nrows = 2\ncolumns = 2') + ANTENNA, "one height"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    with pytest.raises(SpecificationError, match=message):
        site_of(tmp_path, text)


def test_another_frequency_needs_the_one_of_design(tmp_path):
    with pytest.raises(SpecificationError, match="design_frequency_hz"):
        site_of(tmp_path, LINE + ANTENNA).at(1e9)


def test_defaults():
    a = parse_antenna({"antenna": {"element": "monopole", "length_wavelengths": 0.24}})
    assert (a.radius, a.load, a.segments, a.blocks, a.mast) == (1e-3, 50, 21, 3, None)
    assert a.draws.rough_share == 0.2


MAST = "[antenna.mast]\nposition_wavelengths = [9.0, 9.0]\nbottom_wavelengths = -{0}\ntop_wavelengths = {0}\n"


@pytest.mark.parametrize(
    ("line", "antenna", "message"),
    [
        (LINE.replace("elements = 3", "elements = 256"), ANTENNA, "may have 2048 segments in all, found 5376"),
        (LINE, ANTENNA + MAST.format(100.0) + "radius_wavelengths = 0.01\n", "may have 2048 segments .* found 4863"),
        (LINE + "spacing", ANTENNA, "segments times azimuths and elements may be 1048576, found 63 times"),
    ],
    ids=["elements", "mast", "aperture"],
)
def test_antennas_beyond_memory_are_refused(tmp_path, line, antenna, message):
    line = line.replace("elements = 3\n", "elements = 3\nspacing_wavelengths = 1000\n") if "spacing" in line else line
    with pytest.raises(SpecificationError, match=message):
        site_of(tmp_path, line.removesuffix("spacing") + antenna)


def test_a_frequency_far_away_is_refused(tmp_path):
    site = site_of(tmp_path, LINE + ANTENNA + "design_frequency_hz = 400e6\n")
    for frequency in (1e300, 1.0):
        with pytest.raises(SpecificationError, match=r"from 4e\+06 to 4e\+10 Hz, found"):
            site.at(frequency)

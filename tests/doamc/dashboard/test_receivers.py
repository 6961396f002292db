"""Receivers from TOML, and their map plane."""

import math
import re
from pathlib import Path

import pytest

from doamc.dashboard.receivers import EARTH_RADIUS_M, load_receivers, origin
from doamc.errors import DashboardError

HEAD = '[[receiver]]\nname = "a"\nconnect = "tcp://127.0.0.1:5577"\n'
OTHER = '[[receiver]]\nname = "b"\nconnect = "tcp://127.0.0.1:5578"\n'


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "stations.toml"
        path.write_text(text, encoding="utf-8")
        return load_receivers(path)

    return write_and_load


def test_positions_in_metres(load):
    a, b = load(HEAD + "heading_deg = 90\nposition_m = [1, -2.5]\n" + OTHER + "position_m = [0, 0]\nheading_std_deg=2")
    assert (a.name, a.connect, a.heading_deg, a.east_m, a.north_m) == ("a", "tcp://127.0.0.1:5577", 90.0, 1.0, -2.5)
    assert (b.heading_deg, b.heading_std_deg, b.latitude) == (None, 2.0, None)


def test_degrees_become_metres_on_a_plane(load):
    """Against great-circle distances by the haversine formula, 12 km apart at 48 degrees north."""
    places = ((48.10, 11.50), (48.18, 11.61))
    rows = [h + f"latitude = {la}\nlongitude = {lo}\n" for h, (la, lo) in zip((HEAD, OTHER), places, strict=True)]
    a, b = load("".join(rows))
    (la, lo), (lb, lp) = (tuple(map(math.radians, p)) for p in places)
    h = math.sin((lb - la) / 2) ** 2 + math.cos(la) * math.cos(lb) * math.sin((lp - lo) / 2) ** 2
    assert math.hypot(b.east_m - a.east_m, b.north_m - a.north_m) == pytest.approx(
        2 * EARTH_RADIUS_M * math.asin(math.sqrt(h)), rel=1e-4
    )
    assert a.east_m < 0 < b.east_m and a.north_m < 0 < b.north_m
    assert origin([a, b]) == pytest.approx((48.14, 11.555))


def test_the_plane_reaches_over_the_date_line(load):
    a, b = load(HEAD + "latitude = 0\nlongitude = 179.99\n" + OTHER + "latitude = 0\nlongitude = -179.99\n")
    assert b.east_m - a.east_m == pytest.approx(math.radians(0.02) * EARTH_RADIUS_M)


@pytest.mark.parametrize(
    "text, told",
    [
        ("", "1 to 16 tables"),
        ("receiver = 3", "1 to 16 tables"),
        ("x = [", "not a TOML file"),
        (HEAD + "[other]\n", "no more"),
        ('[[receiver]]\nname = "a"\n', "expected name, connect"),
        (HEAD + "colour = 3\n", "found colour, connect, name"),
        ('[[receiver]]\nname = ""\nconnect = "tcp://127.0.0.1:1"\n', "1 to 40 characters"),
        ('[[receiver]]\nname = "a"\nconnect = "here"\n', "expected an address"),
        (HEAD + "heading_deg = 400\n", "heading_deg within 0 to 360"),
        (HEAD + "heading_deg = true\n", "heading_deg within 0 to 360"),
        (HEAD + "position_m = [1]\n", "position_m = [east, north]"),
        (HEAD + "position_m = [1, nan]\n", "position_m within"),
        (HEAD + "latitude = 91\nlongitude = 0\n", "latitude within -90 to 90"),
        (HEAD + "latitude = 9\n", "latitude and longitude together"),
        (HEAD + "latitude = 9\nlongitude = 9\nposition_m = [0, 0]\n", "latitude and longitude together"),
        (HEAD + "position_m = [0, 0]\n" + OTHER, "position_m for all"),
        (HEAD + OTHER.replace('"b"', '"a"'), "different name"),
        (HEAD + OTHER.replace("5578", "5577"), "different address"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(load, text, told):
    with pytest.raises(DashboardError, match=r"stations\.toml") as refused:
        load(text)
    assert told in str(refused.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(DashboardError, match="cannot read"):
        load_receivers(tmp_path / "none.toml")


def test_the_file_in_the_documentation_is_one(load):
    page = Path(__file__).parents[3] / "docs" / "dashboard.md"
    (text,) = re.findall(r"```toml\n(.*?)```", page.read_text(encoding="utf-8"), re.S)
    roof, hill = load(text)
    assert (roof.name, hill.heading_std_deg, hill.east_m) == ("roof", 1.5, 1200.0)

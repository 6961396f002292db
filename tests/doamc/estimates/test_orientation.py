"""Bearings in messages: from which heading they are, and that the schema holds them."""

import pytest

from doamc.errors import PublishError
from doamc.estimates import decode, encode, validate
from doamc.estimates.bearing import Station, bearings
from doamc.estimates.orientation import heading_of, oriented
from tests.doamc.estimates.bearings import message

INTERVAL = {"interval_deg": [[8.0, 13.0]]}


def test_a_message_of_a_known_orientation_carries_bearings():
    made = message([10.0, 100.0], [1.0, 2.0], heading_deg=90.0, interval_deg=[[8.0, 13.0], [98.0, 101.0]])
    validate(made)
    assert decode(encode(made)) == made and made["heading_deg"] == 90.0
    first, second = made["sources"]
    assert (first["azimuth_deg"], first["std_deg"], first["interval_deg"]) == (10.0, 1.0, [8.0, 13.0])
    assert (first["bearing_deg"], first["bearing_interval_deg"]) == (80.0, [77.0, 82.0])
    assert (second["bearing_deg"], second["bearing_interval_deg"]) == (350.0, [349.0, 352.0])


def test_without_an_orientation_nothing_is_pretended():
    made = message([10.0], **INTERVAL)
    assert heading_of(made) is None and oriented(made) is made
    assert "heading_deg" not in made and not any("bearing" in key for key in made["sources"][0])


def test_who_told_the_heading_last_is_believed():
    """What is told along the way, else the message's own, else the bearing of a source, else the receiver's compass."""
    compass = message([10.0], receiver={"heading_deg": 40.0, "latitude": 48.1, "longitude": 11.6})
    validate(compass)
    assert heading_of(compass) == 40.0 and compass["sources"][0]["bearing_deg"] == 30.0
    own = message([10.0], heading_deg=90.0, receiver={"heading_deg": 40.0})
    assert heading_of(own) == 90.0
    told = oriented(own, 10.0)
    assert (told["heading_deg"], told["sources"][0]["bearing_deg"]) == (10.0, 0.0)
    foreign = message([10.0])
    foreign["sources"][0]["bearing_deg"] = 355.0  # of a program that tells no heading
    assert heading_of(foreign) == 5.0 and oriented(foreign)["heading_deg"] == 5.0


def test_another_heading_replaces_bearings_and_their_intervals():
    made = message([10.0], heading_deg=90.0, **INTERVAL)
    again = oriented(made, 100.0)
    assert again["sources"][0]["bearing_interval_deg"] == [87.0, 92.0] and made["heading_deg"] == 90.0
    del made["sources"][0]["interval_deg"]
    assert "bearing_interval_deg" not in oriented(made, 100.0)["sources"][0]


@pytest.mark.parametrize("heading", [-270.0, 90.0, 450.0])
def test_headings_are_brought_into_a_turn(heading):
    made = message([10.0], heading_deg=heading)
    validate(made)
    assert made["heading_deg"] == 90.0


@pytest.mark.parametrize(
    "change",
    [{"heading_deg": 361.0}, {"heading_deg": "north"}, {"receiver": {"heading_deg": -1.0}}, {"receiver": 3},
     {"receiver": {"latitude": 91.0}}],
)  # fmt: skip
def test_headings_that_are_none_are_refused_at_the_border(change):
    with pytest.raises(PublishError, match=r"doamc\.estimate/1"):
        validate(message([10.0]) | change)


def test_map_tools_are_told_the_heading_of_the_message_unless_the_station_has_one():
    made = message([10.0], heading_deg=30.0)
    assert [(b.heading_deg, b.axis_deg, b.bearing_deg) for b in bearings(made, Station())] == [(30.0, 30.0, 20.0)]
    assert [(b.heading_deg, b.bearing_deg) for b in bearings(made, Station(heading_deg=90.0))] == [(90.0, 80.0)]
    assert [(b.heading_deg, b.axis_deg, b.bearing_deg) for b in bearings(message([10.0]), Station())] == [
        (None, 0.0, None)
    ]

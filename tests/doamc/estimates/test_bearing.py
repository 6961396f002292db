"""Azimuths counter-clockwise from +x as map tools want them: clockwise, with a spectrum that agrees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import PublishError
from doamc.estimates.bearing import Station, antenna_type, bearings, clockwise
from tests.doamc.estimates.bearings import STATION, message

#: an array whose +x axis looks east (heading 90): where an emitter stands, its azimuth, what the formats say, and the
#: bearing on the map, heading plus that
CARDINAL = [
    ("east", 0.0, 0.0, 90.0),
    ("north", 90.0, 270.0, 0.0),
    ("west", 180.0, 180.0, 270.0),
    ("south", 270.0, 90.0, 180.0),
]


@pytest.mark.parametrize(("where", "azimuth", "said", "on_the_map"), CARDINAL)
def test_the_four_cardinal_directions(where, azimuth, said, on_the_map):
    (bearing,) = bearings(message([azimuth], [1.0], [0.0]), STATION)
    assert bearing.clockwise_deg == said
    assert (STATION.heading_deg + bearing.clockwise_deg) % 360 == on_the_map
    assert np.argmax(bearing.spectrum_db) == said


@given(st.floats(-1000, 1000))
def test_degrees_lie_within_the_circle_and_turn_the_other_way(azimuth):
    found = clockwise(azimuth)
    assert 0 <= found < 360
    assert abs((found + azimuth + 180) % 360 - 180) < 0.0051
    assert float(f"{found:.2f}") < 360


def test_the_strongest_source_speaks_unless_all_do():
    two = message([20.0, 100.0], [1.0, 2.0], [-6.0, -1.0])
    assert [b.clockwise_deg for b in bearings(two, STATION)] == [260.0]
    both = bearings(two, STATION, every=True)
    assert [(b.clockwise_deg, b.power_db, b.snr_db, b.n_sources) for b in both] == [
        (260.0, -1.0, 9.0, 2), (340.0, -6.0, 4.0, 2),
    ]  # fmt: skip
    assert bearings(message([]), STATION) == []


def test_the_spectrum_has_a_bell_of_power_and_deviation_at_each_source():
    (bearing,) = bearings(message([-30.0, 100.0], [2.0, 4.0], [0.0, -6.0]), STATION)
    level = bearing.spectrum_db
    assert level.shape == (360,) and level.min() == 0 and level.max() == pytest.approx(30.0)
    assert level[30] - level[260] == pytest.approx(6.0)
    assert level[30] - level[32] == pytest.approx(10 * np.log10(np.e) / 2)  # one deviation away
    assert level[260] - level[268] == pytest.approx(10 * np.log10(np.e) * 2)  # two


def test_confidence_falls_with_the_deviation():
    found = [bearings(message([10.0], [std], [0.0]), STATION)[0].confidence_db for std in (0.1, 1.0, 5.0, 40.0)]
    assert found[0] == found[1] > found[2] > found[3] > 0
    # a bell of 5 deg covers 5 sqrt(2 pi) deg of the circle; the floor of 1/1000 adds little
    assert found[2] == pytest.approx(10 * np.log10(1 / (5 * np.sqrt(2 * np.pi) / 360 + 0.001)), abs=0.05)


def test_what_is_not_known_is_left_open_or_asked_for():
    unknown = message([10.0], noise_power=None, frequency_hz=None)
    with pytest.raises(PublishError, match="station-frequency"):
        bearings(unknown, STATION)
    (bearing,) = bearings(unknown, Station(frequency_hz=1e8))
    assert (bearing.frequency_hz, bearing.snr_db, bearing.power_db) == (1e8, None, 0.0)


def test_antenna_types():
    names = ["ula8", "uca5", "no such array"]
    assert [antenna_type(name) for name in names] == ["ULA", "UCA", "Custom"]


@pytest.mark.parametrize(
    "wrong", [{"station_id": "a,b"}, {"station_id": ""}, {"latitude": 91.0}, {"longitude": -181.0},
              {"heading_deg": -1.0}],
)  # fmt: skip
def test_stations_that_cannot_be_are_refused(wrong):
    with pytest.raises(PublishError, match="expected"):
        Station(**wrong)

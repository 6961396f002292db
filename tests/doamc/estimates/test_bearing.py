"""Azimuths counter-clockwise from +x as map tools want them, with a spectrum that agrees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.errors import PublishError
from doamc.estimates.bearing import Station, antenna_type, bearings, circle
from tests.doamc.estimates.bearings import STATION, message


@pytest.mark.parametrize(("azimuth", "clockwise"), [(0.0, 0.0), (90.0, 270.0), (180.0, 180.0), (-90.0, 90.0)])
def test_azimuth_spectrum_and_the_other_way_round(azimuth, clockwise):
    (bearing,) = bearings(message([azimuth], [1.0], [0.0]), STATION)
    assert bearing.azimuth_deg == azimuth % 360 == np.argmax(bearing.spectrum_db)
    assert bearing.clockwise_deg == clockwise


@given(st.floats(-1000, 1000))
def test_degrees_lie_within_the_circle_and_turn_the_other_way(azimuth):
    (bearing,) = bearings(message([azimuth]), STATION)
    for found in (bearing.azimuth_deg, bearing.clockwise_deg, circle(azimuth)):
        assert 0 <= found < 360 and float(f"{found:.2f}") < 360
    assert abs((bearing.azimuth_deg - azimuth + 180) % 360 - 180) < 0.0051
    assert abs((bearing.clockwise_deg + azimuth + 180) % 360 - 180) < 0.0051


def test_the_strongest_source_speaks_unless_all_do():
    two = message([20.0, 100.0], [1.0, 2.0], [-6.0, -1.0])
    assert [b.azimuth_deg for b in bearings(two, STATION)] == [100.0]
    both = bearings(two, STATION, every=True)
    assert [(b.azimuth_deg, b.power_db, b.snr_db, b.n_sources) for b in both] == [
        (100.0, -1.0, 9.0, 2), (20.0, -6.0, 4.0, 2),
    ]  # fmt: skip
    assert bearings(message([]), STATION) == []


def test_the_spectrum_has_a_bell_of_power_and_deviation_at_each_source():
    (bearing,) = bearings(message([-30.0, 100.0], [2.0, 4.0], [0.0, -6.0]), STATION)
    level = bearing.spectrum_db
    assert level.shape == (360,) and level.min() == 0 and level.max() == pytest.approx(30.0)
    assert level[330] - level[100] == pytest.approx(6.0)
    assert level[330] - level[332] == pytest.approx(10 * np.log10(np.e) / 2)  # one deviation away
    assert level[100] - level[108] == pytest.approx(10 * np.log10(np.e) * 2)  # two


@pytest.mark.parametrize("power_db", [5000.0, -5000.0])
def test_any_power_has_a_spectrum(power_db):
    """10 ** 500 is beyond a float; the spectrum is relative."""
    level = bearings(message([20.0, 200.0], [1.0, 1.0], [power_db, power_db - 6.0]), STATION)[0].spectrum_db
    assert np.argmax(level) == 20 and level[20] - level[200] == pytest.approx(6.0)


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
    "wrong", [{"station_id": "a,b"}, {"station_id": ""}, {"station_id": "a\0"}, {"latitude": 91.0},
              {"longitude": -181.0}, {"heading_deg": -1.0}],
)  # fmt: skip
def test_stations_that_cannot_be_are_refused(wrong):
    with pytest.raises(PublishError, match="expected"):
        Station(**wrong)

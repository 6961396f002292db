"""CSV, JSON and XML: field by field, as the protocol lists them, and as their readers understand them."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from doamc.estimates.bearing import Station, bearings
from doamc.estimates.kraken_csv import csv_line
from doamc.estimates.kraken_json import json_body
from doamc.estimates.kraken_xml import xml_document
from tests.doamc.estimates.bearings import STATION, message
from tests.doamc.estimates.kraken_readers import df_aggregator, kraken_app, kraken_pro


def one(azimuth=30.0, **changes):
    return bearings(message([azimuth], [1.0], [-3.0], **changes), STATION)[0]


def test_csv_has_the_fields_of_the_kraken_app():
    fields = csv_line(one(), STATION).split(", ")
    assert len(fields) == 377
    assert fields[:2] == ["1790000000123", "330.00"] and fields[3:17] == [
        "-3.0", "433920000", "UCA", "15", "roof", "48.137200", "11.575600", "90.0", "90.0", "GPS", "R", "R", "R", "R",
    ]  # fmt: skip
    spectrum = np.array(fields[17:], float)
    assert np.argmax(spectrum) == 30 and spectrum.min() == 0
    assert float(fields[2]) == pytest.approx(10 * np.log10(1 / np.mean(10 ** ((spectrum - 30) / 10))), abs=0.02)


def test_json_has_the_keys_of_kraken_pro():
    body = json.loads(json.dumps(json_body(one(), STATION)))
    assert list(body) == [
        "station_id", "tStamp", "gps_timestamp", "latitude", "longitude", "gpsBearing", "speed", "radioBearing",
        "conf", "power", "freq", "antType", "latency", "processing_time", "doaArray", "adc_overdrive",
        "num_corr_sources", "snr_db",
    ]  # fmt: skip
    spectrum = [float(v) for v in body["doaArray"].split(",")]
    assert len(spectrum) == 360 and int(np.argmax(spectrum)) == 30
    assert (body["radioBearing"], body["gpsBearing"], body["freq"], body["antType"]) == (
        "30.00", "90.0", 433920000, "UCA",
    )  # fmt: skip
    assert (body["latency"], body["processing_time"], body["snr_db"], body["tStamp"]) == (15, 11, 7.0, 1790000000123)


def test_xml_has_the_elements_of_df_aggregator():
    data = ElementTree.fromstring(xml_document(one(), STATION))
    assert data.tag == "DATA"
    told = {path: data.findtext(path) for path in (
        "STATION_ID", "TIME", "FREQUENCY", "LOCATION/LATITUDE", "LOCATION/LONGITUDE", "LOCATION/HEADING", "DOA", "PWR",
        "LATENCY",
    )}  # fmt: skip
    assert told == {
        "STATION_ID": "roof", "TIME": "1790000000123", "FREQUENCY": "433.920000", "LOCATION/LATITUDE": "48.137200",
        "LOCATION/LONGITUDE": "11.575600", "LOCATION/HEADING": "90.0", "DOA": "30.00", "PWR": "97.0", "LATENCY": "15",
    }  # fmt: skip
    assert int(data.findtext("CONF")) == int(100 * one().confidence_db) > 1000


#: an array whose +x axis looks east: where an emitter stands, its azimuth, its bearing on the map
CARDINAL = [("east", 0.0, 90.0), ("north", 90.0, 0.0), ("west", 180.0, 270.0), ("south", -90.0, 180.0)]


@pytest.mark.parametrize(("where", "azimuth", "on_the_map"), CARDINAL)
def test_every_reader_sees_an_emitter_where_it_stands(where, azimuth, on_the_map):
    bearing = one(azimuth)
    seen = [df_aggregator(xml_document(bearing, STATION)), kraken_app(csv_line(bearing, STATION))]
    seen += [kraken_pro(json.dumps(json_body(bearing, STATION, version=v)).encode(), v) for v in (1, 2)]
    assert [s.bearing for s in seen] == [on_the_map] * 4
    assert [s.peak for s in seen] == [None, on_the_map, on_the_map, on_the_map]
    assert [s.power for s in seen] == [97.0, -3.0, -3.0, -3.0]
    assert {s.time_ms for s in seen} == {1790000000123} and {s.frequency_hz for s in seen} == {433.92e6}


@given(st.floats(0, 359.99), st.floats(0, 359.9))
def test_readers_agree_at_any_azimuth_and_heading(azimuth, heading):
    """Needle and peak lie within the rounding of a hundredth and of a whole degree; the heading is told to a tenth."""
    station = Station("roof", heading_deg=heading)
    (bearing,) = bearings(message([azimuth], [1.0], [0.0]), station)
    seen = [df_aggregator(xml_document(bearing, station)), kraken_app(csv_line(bearing, station))]
    seen += [kraken_pro(json.dumps(json_body(bearing, station, version=v)).encode(), v) for v in (1, 2)]
    for s in seen:
        assert abs((s.bearing - (heading - azimuth) + 180) % 360 - 180) < 0.07
        assert s.peak is None or abs((s.peak - s.bearing + 180) % 360 - 180) < 0.62


def test_the_example_of_the_real_files():
    """An emitter at theta 40: the CSV says 320 and peaks at index 40, version 1 posts 40, version 2 sends 320."""
    bearing = one(40.0)
    fields = csv_line(bearing, STATION).split(", ")
    assert fields[1] == "320.00" and np.argmax(np.array(fields[17:], float)) == 40
    assert [json_body(bearing, STATION, version=v)["radioBearing"] for v in (1, 2)] == ["40.00", "320.00"]
    assert json_body(bearing, STATION) == json_body(bearing, STATION, version=1)


@pytest.mark.parametrize(("power_db", "told"), [(-250.0, "0.0"), (-100.0, "0.0"), (-80.04, "20.0"), (12.0, "112.0")])
def test_xml_power_counts_from_minus_100_db(power_db, told):
    (bearing,) = bearings(message([1.0], [1.0], [power_db]), STATION)
    assert ElementTree.fromstring(xml_document(bearing, STATION)).findtext("PWR") == told


def test_xml_escapes_and_unknown_figures_are_empty():
    station = Station("<&>")
    bearing = one(noise_power=None)
    data = ElementTree.fromstring(xml_document(bearing, station))
    assert data.findtext("STATION_ID") == "<&>" and data.findtext("SNR_DB") == ""
    assert json_body(bearing, station)["snr_db"] is None


def test_of_an_estimate_with_elevations_these_formats_tell_the_azimuth():
    """No byte of them differs; near the zenith, where the azimuth is wide, the confidence falls to nearly nothing."""
    raised = {
        "elevation_deg": [60.0],
        "elevation_std_deg": [2.0],
        "elevation_interval_deg": [[57.0, 63.0]],
        "alike": "x",
    }
    plain, high = one(), one(**raised)
    for write in (csv_line, json_body, xml_document):
        assert write(high, STATION) == write(plain, STATION)
    (zenith,) = bearings(message([30.0], [104.0], [-3.0], elevation_deg=[89.0], elevation_std_deg=[1.0]), STATION)
    assert zenith.confidence_db < 4 < 15 < plain.confidence_db

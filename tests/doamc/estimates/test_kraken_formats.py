"""CSV, JSON and XML field by field, as the protocol lists them."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

from doamc.estimates.bearing import bearings
from doamc.estimates.kraken_csv import csv_line
from doamc.estimates.kraken_json import json_body
from doamc.estimates.kraken_xml import xml_document
from tests.doamc.estimates.bearings import STATION, message

#: azimuth of ours and degrees clockwise
CARDINAL = [(0.0, 0.0), (90.0, 270.0), (180.0, 180.0), (270.0, 90.0), (-90.0, 90.0)]


def one(azimuth=30.0, **changes):
    return bearings(message([azimuth], [1.0], [-3.0], **changes), STATION)[0]


def test_csv_has_the_fields_of_the_kraken_app():
    fields = csv_line(one(), STATION).split(", ")
    assert len(fields) == 377
    assert fields[:2] == ["1790000000123", "330.00"] and fields[3:17] == [
        "-3.0", "433920000", "UCA", "15", "roof", "48.137200", "11.575600", "90.0", "90.0", "GPS", "R", "R", "R", "R",
    ]  # fmt: skip
    spectrum = np.array(fields[17:], float)
    assert np.argmax(spectrum) == 330 and spectrum.min() == 0
    assert float(fields[2]) == pytest.approx(10 * np.log10(1 / np.mean(10 ** ((spectrum - 30) / 10))), abs=0.02)


def test_json_has_the_keys_of_kraken_pro():
    body = json.loads(json.dumps(json_body(one(), STATION)))
    assert list(body) == [
        "station_id", "tStamp", "gps_timestamp", "latitude", "longitude", "gpsBearing", "speed", "radioBearing",
        "conf", "power", "freq", "antType", "latency", "processing_time", "doaArray", "adc_overdrive",
        "num_corr_sources", "snr_db",
    ]  # fmt: skip
    spectrum = [float(v) for v in body["doaArray"].split(",")]
    assert len(spectrum) == 360 and int(np.argmax(spectrum)) == 330
    assert (body["radioBearing"], body["gpsBearing"], body["freq"], body["antType"]) == (
        "330.00", "90.0", 433920000, "UCA",
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
        "LOCATION/LONGITUDE": "11.575600", "LOCATION/HEADING": "90.0", "DOA": "330.00", "PWR": "-3.0", "LATENCY": "15",
    }  # fmt: skip
    assert float(data.findtext("CONF")) > 0


@pytest.mark.parametrize(("azimuth", "compass"), CARDINAL)
def test_all_three_say_the_same_cardinal_direction(azimuth, compass):
    bearing = one(azimuth)
    fields = csv_line(bearing, STATION).split(", ")
    body = json_body(bearing, STATION)
    assert float(fields[1]) == float(body["radioBearing"]) == compass
    assert float(ElementTree.fromstring(xml_document(bearing, STATION)).findtext("DOA")) == compass
    assert np.argmax(np.array(fields[17:], float)) == compass


def test_xml_escapes_and_unknown_figures_are_empty():
    station = type(STATION)("<&>")
    bearing = one(noise_power=None)
    data = ElementTree.fromstring(xml_document(bearing, station))
    assert data.findtext("STATION_ID") == "<&>" and data.findtext("SNR_DB") == ""
    assert json_body(bearing, station)["snr_db"] is None

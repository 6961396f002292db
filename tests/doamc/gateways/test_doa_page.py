"""``/DOA_value.html`` as map tools fetch it: whole lines, one a source and frequency, and nothing that is stale."""

import re

import numpy as np
import pytest

from doamc.errors import PublishError
from doamc.estimates.bearing import Station, bearings
from doamc.estimates.kraken_csv import csv_line
from doamc.estimates.outputs import CsvLog
from doamc.gateways import doa_page
from doamc.gateways.doa_page import KEPT_S, DoaPage
from doamc.web.access import Access
from tests.doamc.estimates.bearings import STATION, message
from tests.doamc.estimates.kraken_readers import kraken_app
from tests.doamc.web.serving import get


class Clock:
    """Time that passes when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def page(clock):
    output = DoaPage(0, STATION, Access("127.0.0.1", None, "page", PublishError), clock)
    yield output
    output.close()


def lines(page):
    status, headers, body = get(page.url)
    assert status == 200 and headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-cache"
    text = body.decode()
    assert text == "" or text.endswith("\n")
    return text.splitlines()


def test_every_source_is_a_line_of_its_own(page):
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*/DOA_value\.html", page.url)
    assert lines(page) == []
    page.write(message([10.0, 200.0, 300.0], [1.0, 1.0, 1.0], [-6.0, 0.0, -3.0]))
    seen = [kraken_app(line) for line in lines(page)]
    # heading 90: an azimuth of 10 degrees is a bearing of 80; the strongest first
    assert [(s.bearing, s.power) for s in seen] == [(250.0, 0.0), (150.0, -3.0), (80.0, -6.0)]
    assert {s.time_ms for s in seen} == {1790000000123} and {s.frequency_hz for s in seen} == {433.92e6}


def test_a_line_is_the_line_of_version_1_byte_for_byte(page):
    sent = message([40.0], [1.0], [-3.0])
    page.write(sent)
    (line,) = lines(page)
    (bearing,) = bearings(sent, STATION)
    assert line == csv_line(bearing, STATION)  # what --csv and --csv-latest write for version 1
    fields = line.split(", ")
    assert len(fields) == 17 + 360 and fields[:2] == ["1790000000123", "320.00"]
    assert fields[12:17] == ["GPS", "R", "R", "R", "R"] and fields[17 + 40] == "30.00"


#: what each column of a line looks like, in both versions
COLUMNS = (
    r"\d{13}", r"\d{1,3}\.\d\d", r"\d{1,2}\.\d\d", r"-?\d+\.\d", r"\d+", "ULA|UCA|Custom", r"\d+", "roof",
    r"-?\d+\.\d{6}", r"-?\d+\.\d{6}", r"\d{1,3}\.\d{1,2}", r"\d{1,3}\.\d{1,2}", "GPS", "R", "R", "R", "R",
    *(360 * [r"\d{1,2}\.\d\d"]),
)  # fmt: skip


def test_version_1_and_2_agree_in_every_column(page, tmp_path):
    """Estimates of all kinds as a file of version 1 has them and as the page of version 2 does."""
    rng = np.random.default_rng(4)
    path = tmp_path / "bearings.csv"
    log, expected = CsvLog(path, STATION, every=True), []
    for _ in range(20):
        count = rng.integers(1, 4)
        sent = message(
            rng.uniform(-360, 360, count).tolist(), rng.uniform(0.01, 40, count).tolist(),
            rng.uniform(-90, 10, count).tolist(), frequency_hz=float(rng.integers(24_000_000, 1_766_000_000)),
        )  # fmt: skip
        log.write(sent)
        page.write(sent)
        expected += count * [round(sent["frequency_hz"])]
        assert len(lines(page)) == len(expected)
    log.close()
    one, two = (
        sorted((line.split(", ") for line in text), key=lambda row: int(row[4]))
        for text in (path.read_text().splitlines(), lines(page))
    )
    assert [int(row[4]) for row in one] == sorted(expected)
    for first, second in zip(one, two, strict=True):
        assert first == second and len(first) == 377
        assert all(re.fullmatch(form, value) for form, value in zip(COLUMNS, first, strict=True)), first[:17]


def test_the_newest_estimate_of_every_frequency_stands_there(page):
    page.write(message([10.0, 20.0], frequency_hz=450e6))
    page.write(message([30.0], frequency_hz=430e6))
    page.write(message([50.0], frequency_hz=450e6))
    assert [kraken_app(line).bearing for line in lines(page)] == [60.0, 40.0]


def test_without_emitters_the_page_falls_silent(page, clock):
    page.write(message([10.0]))
    page.write(message([]))  # what has just been heard is not gone at once: tools fetch every few seconds
    clock.now += KEPT_S
    assert len(lines(page)) == 1
    clock.now += 0.01
    assert lines(page) == []
    page.write(message([20.0]))
    assert len(lines(page)) == 1


def test_frequencies_are_bounded(page, monkeypatch):
    monkeypatch.setattr(doa_page, "MAX_FREQUENCIES", 3)
    for k in range(10):
        page.write(message([10.0], frequency_hz=1e8 + k))
    assert [kraken_app(line).frequency_hz for line in lines(page)] == [1e8 + 7, 1e8 + 8, 1e8 + 9]


def test_other_paths_and_ways_do_not_exist(page):
    root = page.url.removesuffix("DOA_value.html")
    for path in ("", "DOA_value.htm", "doa_value.html", "static/", "settings.json", "../DOA_value.html%00"):
        assert get(root + path)[0] == 404, path


def test_a_station_that_looks_like_a_page_runs_nothing():
    station = Station("<script>alert(1)</script>")
    output = DoaPage(0, station, Access("127.0.0.1", None, "page", PublishError))
    try:
        output.write(message([10.0]))
        headers = get(output.url)[1]
        assert "default-src 'none'" in headers["Content-Security-Policy"]
    finally:
        output.close()


def test_a_port_in_use_is_told_by_its_option(page):
    with pytest.raises(PublishError, match=r"cannot listen on 127\.0\.0\.1.*take another --doa-value"):
        DoaPage(page._server.port, STATION, Access("127.0.0.1", None, "page", PublishError))

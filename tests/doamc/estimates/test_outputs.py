"""Files and posts: whole at any time, and every estimate counted."""

import threading
from xml.etree import ElementTree

import pytest

from doamc.errors import PublishError, RecordingError
from doamc.estimates import read_records
from doamc.estimates.fan_out import Outputs
from doamc.estimates.outputs import CsvLog, JsonPost, LatestFile
from doamc.estimates.record import Recorder
from tests.doamc.estimates.bearings import STATION, message


def test_logs_grow_and_latest_files_are_replaced(tmp_path):
    log, latest, xml = tmp_path / "log.csv", tmp_path / "DOA_value.html", tmp_path / "DOA.xml"
    lines = tmp_path / "log.jsonl"
    outputs = {
        "a": CsvLog(log, STATION, every=True), "b": LatestFile(latest, "csv", STATION),
        "c": LatestFile(xml, "xml", STATION), "d": Recorder(lines),
    }  # fmt: skip
    messages = [message([10.0 * k, 180.0], power_db=[0.0, -3.0], seq=k) for k in range(1, 4)]
    with Outputs(outputs) as both:
        for item in [*messages, message([], seq=4)]:
            both.write(item)
    both.check()
    rows = [row.split(", ") for row in log.read_text().splitlines()]
    assert [row[1] for row in rows] == ["350.00", "180.00", "340.00", "180.00", "330.00", "180.00"]
    assert [row.split(", ")[1] for row in latest.read_text().splitlines()] == ["330.00"]
    assert ElementTree.parse(xml).findtext("DOA") == "30.00"
    assert [m["seq"] for m in read_records(lines)] == [1, 2, 3, 4]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["DOA.xml", "DOA_value.html", "log.csv", "log.jsonl"]


def test_a_latest_file_is_never_seen_in_part(tmp_path):
    path, ended, seen = tmp_path / "latest.csv", threading.Event(), []
    output = LatestFile(path, "csv", STATION)
    output.write(message([0.0]))

    def read():
        while not ended.is_set():
            seen.append(len(path.read_text().split(", ")))

    reader = threading.Thread(target=read)
    reader.start()
    for k in range(200):
        output.write(message([float(k)]))
    ended.set()
    reader.join(10.0)
    assert set(seen) == {377} and len(seen) > 10


def test_files_that_cannot_be_written_are_named(tmp_path):
    (tmp_path / "folder").mkdir()
    for make in (lambda p: CsvLog(p, STATION), lambda p: LatestFile(p, "xml", STATION)):
        for place in ("no/file", "folder"):
            with pytest.raises(RecordingError, match="cannot write"):
                make(tmp_path / place)


def test_posts_arrive_in_order(web):
    output = JsonPost(web.url, STATION)
    for k in range(5):
        output.write(message([10.0 * k]))
    output.close()
    assert [body["radioBearing"] for body in web.bodies] == ["0.00", "10.00", "20.00", "30.00", "40.00"]
    poster = output.poster
    assert (poster.posted, poster.sent, poster.failed, poster.dropped) == (5, 5, 0, 0)
    with pytest.raises(PublishError, match="closed"):
        output.write(message([0.0]))


def test_lost_posts_are_an_error_when_all_is_closed(web):
    web.answer = 500
    output = JsonPost(web.url, STATION)
    output.write(message([0.0]))
    with pytest.raises(PublishError, match=r"1 of 1 posts lost, http.*500"):
        output.close()

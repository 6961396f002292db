"""Files and posts: whole at any time, every one counted, and nothing held up by a server."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.etree import ElementTree

import numpy as np
import pytest

from doamc.errors import PublishError, RecordingError
from doamc.estimates import read_records
from doamc.estimates.annotations import annotate
from doamc.estimates.outputs import Annotations, CsvLog, JsonPost, LatestFile, Outputs
from doamc.estimates.poster import Poster
from doamc.estimates.record import Recorder
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_write import write_recording
from tests.doamc.estimates.bearings import STATION, message


@pytest.fixture
def web():
    """A web server; web.url, web.bodies of what was posted, web.answer the status it gives."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            data = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            server.bodies.append(json.loads(data))
            self.send_response(server.answer)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies, server.answer = [], 200
    server.url = f"http://127.0.0.1:{server.server_port}/doapost"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join(5.0)
    server.server_close()


def test_logs_grow_and_latest_files_are_replaced(tmp_path):
    log, latest, xml = tmp_path / "log.csv", tmp_path / "DOA_value.html", tmp_path / "DOA.xml"
    lines = tmp_path / "log.jsonl"
    outputs = [
        CsvLog(log, STATION, every=True), LatestFile(latest, "csv", STATION), LatestFile(xml, "xml", STATION),
        Recorder(lines),
    ]  # fmt: skip
    messages = [message([10.0 * k, 180.0], power_db=[0.0, -3.0], seq=k) for k in range(1, 4)]
    with Outputs(outputs) as both:
        for item in [*messages, message([], seq=4)]:
            both.write(item)
    rows = [row.split(", ") for row in log.read_text().splitlines()]
    assert [row[1] for row in rows] == ["350.00", "180.00", "340.00", "180.00", "330.00", "180.00"]
    assert [row.split(", ")[1] for row in latest.read_text().splitlines()] == ["330.00"]
    assert ElementTree.parse(xml).findtext("DOA") == "330.00"
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
    for make in (lambda p: CsvLog(p, STATION), lambda p: LatestFile(p, "xml", STATION)):
        with pytest.raises(RecordingError, match="cannot write"):
            make(tmp_path / "no" / "file")


def test_posts_arrive_in_order(web):
    output = JsonPost(web.url, STATION)
    for k in range(5):
        output.write(message([10.0 * k]))
    output.close()
    assert [body["radioBearing"] for body in web.bodies] == ["0.00", "350.00", "340.00", "330.00", "320.00"]
    poster = output.poster
    assert (poster.posted, poster.sent, poster.failed, poster.dropped) == (5, 5, 0, 0)
    with pytest.raises(PublishError, match="closed"):
        output.write(message([0.0]))


def test_refused_posts_are_counted(web):
    web.answer = 500
    with Poster(web.url) as poster:
        poster.post({"a": 1})
    assert (poster.sent, poster.failed) == (0, 1) and "500" in poster.last_error


def test_a_server_that_never_answers_holds_up_nobody():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        poster = Poster(f"http://127.0.0.1:{silent.getsockname()[1]}/", timeout_s=60.0)
        begin = time.monotonic()
        for k in range(100):
            poster.post({"k": k})
        poster.close(timeout_s=0.1)
        assert time.monotonic() - begin < 30.0  # while the first of them still waits for its answer
        assert poster.dropped >= 90 and poster.sent == 0
        assert 99 <= poster.failed + poster.dropped <= 100  # one may be on its way


@pytest.mark.parametrize("url", ["", "here", "ftp://a/b", "file:///etc/hosts", "http://"])
def test_other_urls_are_refused(url):
    with pytest.raises(PublishError, match="http or https"):
        Poster(url)


def test_annotations_stand_at_their_samples_and_replace_older_ones(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    rng = np.random.default_rng(0)
    write_recording(
        path, rng.standard_normal((5, 3000)) * (1 + 1j), sample_rate_hz=1000.0, frequency_hz=1e8, azimuth_deg=[5.0]
    )
    before = Recording(path).metadata["annotations"]
    assert len(before) == 1
    output = Annotations(path)
    output.write(message([30.0, 200.0], [0.5, 1.0], [0.0, -3.0], sample_time=0.5, seq=7))
    output.write(message([31.0], sample_time=2.9))  # reaches beyond the end
    output.write(message([32.0], sample_time=None))
    output.close()
    assert output.written == 2
    recording = Recording(path)  # it is still valid SigMF with the same data
    made = [a for a in recording.metadata["annotations"] if a.get("core:generator") == "doamc"]
    assert [(a["core:sample_start"], a["core:sample_count"]) for a in made] == [(500, 256)] * 2
    assert [a["spatial:signal_bearing"]["azimuth"] for a in made] == [330.0, 160.0]
    assert made[0]["doamc:azimuth_deg"] == 30.0 and made[0]["doamc:std_deg"] == 0.5 and made[0]["doamc:seq"] == 7
    assert annotate(path, [message([40.0], sample_time=1.0)]) == 1
    annotations = Recording(path).metadata["annotations"]
    assert [a["core:sample_start"] for a in annotations] == [0, 1000] and before[0] in annotations
    with pytest.raises(RecordingError, match="found no file"):
        Annotations(tmp_path / "none.sigmf-meta")

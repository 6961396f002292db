"""One estimate through the terminal, files, map tools, figures and annotations: the same bearing everywhere.

In the browser: tests/doamc/dashboard/test_page_bearings.py; in Qt's windows: tests/gr/views/test_one_bearing.py.
"""

import csv
import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
from matplotlib.figure import Figure

from doamc.dashboard.fix import locate
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.view import estimate_view
from doamc.estimates import Publisher, Recorder, read_records
from doamc.figures.page import draw_page
from doamc.figures.run import read_run
from doamc.snapshots.sigmf_write import write_recording
from tests.doamc.cli.conftest import repeating
from tests.doamc.dashboard.serving import until
from tests.doamc.estimates.kraken_readers import df_aggregator, kraken_app, kraken_pro
from tests.doamc.gateways.websocket import WebSocket
from tests.doamc.one_bearing import BEARING_INTERVAL, BEARINGS, HEADING, message
from tests.doamc.web.serving import get

COLUMNS = ("heading_deg", "bearing_deg", "bearing_low_deg", "bearing_high_deg")


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    path = tmp_path_factory.mktemp("log") / "in.jsonl"
    with Recorder(path) as record:
        record.write(message())
    return path


@pytest.fixture
def address():
    """Of a publisher that sends the estimate again and again."""
    with Publisher("tcp://127.0.0.1:*", heartbeat_s=0.1) as publisher, repeating(publisher, message) as found:
        yield found


def test_the_message_itself(log):
    (told,) = read_records(log)
    assert told["heading_deg"] == HEADING and [s["bearing_deg"] for s in told["sources"]] == BEARINGS
    assert told["sources"][0]["bearing_interval_deg"] == BEARING_INTERVAL


def test_the_monitor(doamc, address):
    status, out, _ = doamc("monitor", address, "--once", "--timeout", 20)
    assert status == 0 and all(f"{bearing:.2f}°" in out for bearing in BEARINGS) and "+x at 97.2°" in out
    status, out, _ = doamc("monitor", address, "--once", "--timeout", 20, "--json")
    assert [s["bearing_deg"] for s in json.loads(out)["sources"]] == BEARINGS


class _Posts(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.mark.parametrize("version", [1, 2])
def test_lines_on_the_map_of_every_reader_of_the_krakensdr(doamc, log, tmp_path, version):
    """What each of them computes from heading and direction, and where it sees the peak of the spectrum."""
    csv, newest, xml = (tmp_path / name for name in ("log.csv", "newest.csv", "newest.xml"))
    with HTTPServer(("127.0.0.1", 0), _Posts) as server:
        server.bodies = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        files = "--csv", csv, "--csv-latest", newest, "--xml", xml
        made = doamc("publish", log, *files, "--post", url, "--post-version", version)
        server.shutdown()
        thread.join(10)
    assert made[0] == 0, made
    seen = [kraken_app(path.read_text().rstrip("\n")) for path in (csv, newest)]
    seen += [df_aggregator(xml.read_bytes()), *(kraken_pro(body, version) for body in server.bodies)]
    assert [s.bearing for s in seen] == pytest.approx([BEARINGS[0]] * 4, abs=0.005)
    assert [s.peak for s in seen if s.peak is not None] == pytest.approx([BEARINGS[0]] * 3, abs=0.5)  # whole degrees


def test_lines_on_the_map_of_those_that_fetch_or_listen(program, address):
    process = program("publish", address, "--doa-value", 0, "--mapper", 0, "--all-sources")
    page, socket = (process.stdout.readline().split()[-1] for _ in range(2))
    until(lambda: get(page)[2])
    seen = [kraken_app(line) for line in get(page)[2].decode().splitlines()]
    with WebSocket(int(socket.rstrip("/").rpartition(":")[2])) as client:
        seen += [kraken_pro(client.text().encode(), 2) for _ in range(2)]
    assert [s.bearing for s in seen] == pytest.approx([*BEARINGS, *BEARINGS], abs=0.005)


def test_logs_of_what_is_passed_on(doamc, log, tmp_path):
    files = {option: tmp_path / option for option in ("--record", "--csv-log", "--sqlite")}
    assert doamc("publish", log, *(word for pair in files.items() for word in pair))[0] == 0
    (told,) = read_records(files["--record"])
    assert [s["bearing_deg"] for s in told["sources"]] == BEARINGS
    with open(files["--csv-log"], newline="") as file:
        rows = [[float(row[k]) for k in COLUMNS] for row in csv.DictReader(file)]
    with closing(sqlite3.connect(files["--sqlite"])) as database:
        assert database.execute(f"SELECT {', '.join(COLUMNS)} FROM bearings ORDER BY id").fetchall() == list(
            map(tuple, rows)
        )
    assert rows[0] == [HEADING, BEARINGS[0], *BEARING_INTERVAL] and rows[1][:2] == [HEADING, BEARINGS[1]]


def test_annotations_of_a_recording(doamc, log, tmp_path):
    """For SigMF tools the azimuth of the aperture and that of the signal, for a person the label."""
    path = tmp_path / "a.sigmf-meta"
    samples = np.ones((5, 2000), complex)
    write_recording(path, samples, sample_rate_hz=1000.0, frequency_hz=433.92e6)
    assert doamc("publish", log, "--annotate", path)[0] == 0
    table = json.loads(path.read_text())
    (capture,), made = table["captures"], table["annotations"]
    azimuths = [capture["spatial:aperture_azimuth"] + a["spatial:signal_bearing"]["azimuth"] for a in made]
    assert [a % 360 for a in azimuths] == pytest.approx(BEARINGS)
    assert [a["doamc:bearing_deg"] for a in made] == BEARINGS
    assert [a["core:label"] for a in made] == [f"bearing {b:.2f} deg" for b in BEARINGS]


def test_figures(log):
    figure = Figure()
    draw_page(figure, read_run(log), ["tracks"])
    (axes,) = figure.axes
    assert sorted(float(line.get_ydata()[0]) for line in axes.lines) == pytest.approx(BEARINGS)
    assert axes.get_ylabel() == "bearing from true north (deg)"


def test_the_map_of_the_dashboard():
    """The line is crossed with another that comes from due south of a point on it, 1 km east of the station."""
    east = 1000.0
    north = east / np.tan(np.radians(BEARINGS[0]))
    stations = [
        Receiver("roof", "tcp://a:1", east_m=0.0, north_m=0.0),
        Receiver("hill", "tcp://b:1", heading_deg=0.0, east_m=east, north_m=north - 500.0),
    ]
    other = message(heading_deg=None) | {"sources": [{"azimuth_deg": 0.0, "std_deg": 1.0, "power_db": 0.0}]}
    views = [estimate_view(message(), 1.0), estimate_view(other, 1.0, stations[1].heading_deg)]
    (fix,) = locate(stations, views, 1.0)
    assert (fix["east_m"], fix["north_m"]) == pytest.approx((east, north), abs=0.01)

"""``doamc publish`` as a server for map tools, its logs, and what stays silent where there is no emitter."""

import csv
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import numpy as np
import pytest
import torch

from doamc.estimates import Publisher, Recorder, read_records
from doamc.likelihood.noise_test import NoiseTest
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.dashboard.serving import until
from tests.doamc.estimates.bearings import message
from tests.doamc.estimates.kraken_readers import kraken_app, kraken_pro
from tests.doamc.gateways.websocket import WebSocket
from tests.doamc.web.serving import get

FREE = "tcp://127.0.0.1:*"


@pytest.fixture
def sending():
    """A publisher of two emitters, 50 times a second."""
    ended = threading.Event()
    with Publisher(FREE, heartbeat_s=0.05) as publisher:

        def send():
            seq = 0
            while not ended.wait(0.02):
                publisher.estimate(message([45.0, 100.0], [1.0, 1.0], [0.0, -3.0], seq=seq))
                seq += 1

        sender = threading.Thread(target=send)
        sender.start()
        yield publisher
        ended.set()
        sender.join(10)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "in.jsonl"
    with Recorder(path) as record:
        for seq in range(20):
            record.write(message([10.0 * seq], seq=seq))
    return path


def rows(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT seq, azimuth_deg FROM bearings ORDER BY id").fetchall()


def test_map_tools_fetch_and_listen_while_estimates_are_passed_on(program, sending, tmp_path):
    table, database = tmp_path / "log.csv", tmp_path / "log.sqlite"
    process = program("publish", sending.address, "--doa-value", 0, "--mapper", 0, "--csv-log", table, "--sqlite",
                      database, "--station-id", "roof", "--wait", 0, "--heading", 0)  # fmt: skip
    page, socket = (process.stdout.readline().split()[-1] for _ in range(2))
    assert page.startswith("http://127.0.0.1:") and page.endswith("/DOA_value.html")
    until(lambda: get(page)[2])
    lines = get(page)[2].decode().splitlines()
    assert [kraken_app(line).bearing for line in lines] == [315.0, 260.0]
    with WebSocket(int(socket.rstrip("/").rpartition(":")[2])) as client:
        records = [kraken_pro(client.text().encode(), 2) for _ in range(4)]
    assert [r.bearing for r in records] == [315.0, 260.0] * 2
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == ""
    assert out.startswith("passed on ") and "records to map clients, 0 clients dropped as too slow" in out
    with open(table, newline="") as file:
        told = [(int(r["seq"]), float(r["azimuth_deg"])) for r in csv.DictReader(file)]
    assert told == rows(database) and len(told) >= 2 and {azimuth for _, azimuth in told} == {45.0, 100.0}


def test_a_locked_database_starves_no_other_output(doamc, log, tmp_path):
    database = tmp_path / "log.sqlite"
    assert doamc("publish", log, "--sqlite", database)[0] == 0
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = WAL")  # as while somebody looks at it; else opening it would be refused
        other.execute("BEGIN IMMEDIATE")
        status, out, err = doamc("publish", log, "--sqlite", database, "--csv-log", tmp_path / "log.csv")
    told, also, error = err.splitlines()
    assert told.startswith("doamc: --sqlite: ") and "database is locked" in told
    assert "20 estimates lost, database is locked; the other outputs go on" in also
    assert status == 2 and "--sqlite unfinished" in error and out == "passed on 20 estimates\n"
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 21
    assert [seq for seq, _ in rows(database)] == list(range(20))
    assert doamc("publish", log, "--sqlite", database)[0] == 0
    assert [seq for seq, _ in rows(database)] == [*range(20), *range(20)]


def test_logs_keep_so_many_rows(doamc, log, tmp_path):
    table, database = tmp_path / "log.csv", tmp_path / "log.sqlite"
    assert doamc("publish", log, "--sqlite", database, "--csv-log", table, "--keep-rows", 6)[0] == 0
    assert [seq for seq, _ in rows(database)] == list(range(14, 20))
    assert [len(p.read_text().splitlines()) for p in (table, tmp_path / "log.csv.1")] == [3, 4]


def test_monitor_keeps_the_same_logs(doamc, sending, tmp_path):
    table, database, lines = (tmp_path / name for name in ("log.csv", "log.sqlite", "log.jsonl"))
    status, _, err = doamc("monitor", sending.address, "--json", "--count", 3, "--timeout", 60, "--csv-log", table,
                           "--sqlite", database, "--record", lines)  # fmt: skip
    assert (status, err) == (0, "")
    seqs = [m["seq"] for m in read_records(lines)]
    assert [seq for seq, _ in rows(database)] == [seq for seq in seqs for _ in range(2)] and len(seqs) == 3
    assert len(table.read_text().splitlines()) == 7


def test_noise_alone_is_told_and_nothing_is_drawn_on_a_map(doamc, tmp_path):
    noise = 0.03 * np.random.default_rng(3).standard_normal((40, 5, 256, 2)).view(complex)[..., 0]
    recognised = NoiseTest(load_spec("uca5"))(make_batch(torch.from_numpy(noise)))  # 19 of 20 of them
    np.savez(tmp_path / "in.npz", snapshots=noise[recognised.numpy()][:4])
    names = ("--csv", "--csv-latest", "--xml", "--csv-log", "--sqlite", "--record")
    files = {name: tmp_path / name.strip("-") for name in names}
    status, out, err = doamc("publish", tmp_path / "in.npz", "--array", "uca5", "--sources", "auto", "--address", FREE,
                             "--wait", 0, "--rate", 1000, "--station-frequency", 1e8, "--mapper", 0, "--doa-value", 0,
                             *(word for pair in files.items() for word in pair))  # fmt: skip
    assert (status, err) == (0, "") and "published 4 estimates, 0 batches failed, 0 records to map clients" in out
    messages = list(read_records(files["--record"]))
    assert [(m["n_sources"], m["sources"]) for m in messages] == [(0, [])] * 4
    assert files["--csv"].read_text() == "" and rows(files["--sqlite"]) == []
    assert len(files["--csv-log"].read_text().splitlines()) == 1
    assert not files["--csv-latest"].exists() and not files["--xml"].exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--doa-value", "70000"), "<= 65535"),
        (("--mapper", "0", "--host", "0.0.0.0"), "expected --token or --insecure with --host 0.0.0.0"),
        (("--doa-value", "0", "--host", "::"), "expected --token or --insecure with --host ::"),
        (("--doa-value", "0", "--host", "192.0.2.1", "--insecure"), "cannot listen on 192.0.2.1"),
        (("--mapper", "0", "--token", "short"), "expected a token of 16 to 200"),
        (("--mapper", "0", "--allow-origin", "localhost"), "expected a site such as"),
        (("--csv-log", "no/such/folder.csv"), "cannot write"),
        (("--sqlite", "no/such/folder.db"), "cannot write"),
        (("--sqlite", "a.db", "--keep-rows", "0"), ">= 2"),
    ],
)
def test_what_cannot_be_served_or_logged_is_refused_at_once(refused, log, options, words, monkeypatch, tmp_path):
    monkeypatch.delenv("DOAMC_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    assert words in refused("publish", log, *options)


@pytest.mark.parametrize("option", ["--doa-value", "--mapper"])
def test_without_aiohttp_it_says_what_to_install(option, log):
    code = "import sys; sys.modules['aiohttp'] = None; from doamc.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "publish", str(log), option, "0"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "pip install 'gr-doamc[dashboard]'" in done.stderr


def test_logs_need_no_aiohttp(log, tmp_path):
    code = "import sys; sys.modules['aiohttp'] = None; from doamc.cli import main; sys.exit(main(sys.argv[1:]))"
    words = [sys.executable, "-c", code, "publish", str(log), "--sqlite", str(tmp_path / "a.db")]
    assert subprocess.run(words, capture_output=True, text=True, timeout=60).returncode == 0

"""``doamc publish`` to KrakenSDR formats, from snapshots, from a log and from ZMQ, and ``doamc heimdall-emulator``."""

import json
import shutil
import socket
import threading
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from doamc.cli import replay
from doamc.estimates import Publisher, Recorder, read_records
from doamc.estimates.bearing_log import Station as BearingStation
from doamc.estimates.bearing_log import read_bearing_log
from doamc.krakensdr import Client
from doamc.krakensdr.version1 import Control, Heimdall
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import SHIPPED
from tests.doamc.estimates.bearings import message

RECORDING = Path(__file__).resolve().parents[3] / "flowgraphs" / "recordings" / "kraken5_mixed_2"
FREE = "tcp://127.0.0.1:*"


@pytest.fixture
def log(tmp_path):
    """A log of estimates at the four cardinal directions, between other messages."""
    path = tmp_path / "in.jsonl"
    with Recorder(path) as record:
        for k in range(4):
            record.write({"schema": "doamc.status/1", "time": 0.0})
            record.write(message([90.0 * k], seq=k))
    return path


def test_a_log_becomes_csv_xml_and_posts(doamc, log, tmp_path):
    csv, xml = tmp_path / "out.csv", tmp_path / "out.xml"
    status, out, err = doamc("publish", log, "--csv", csv, "--xml", xml, "--station-id", "roof", "--heading", "90",
                             "--latitude", "48.1", "--longitude", "-11.5")  # fmt: skip
    assert (status, err) == (0, "") and out == "passed on 4 estimates\n"
    rows = [line.split(", ") for line in csv.read_text().splitlines()]
    assert [row[1] for row in rows] == ["0.00", "270.00", "180.00", "90.00"]
    assert {tuple(row[7:12]) for row in rows} == {("roof", "48.100000", "-11.500000", "90.0", "90.0")}
    assert ElementTree.parse(xml).findtext("DOA") == "270.00"


def test_options_that_an_input_has_no_use_for_are_refused(refused, log, tmp_path):
    out = ("--csv", tmp_path / "out.csv")
    for option in (("--batches", 2), ("--method", "ml"), ("--loop",), ("--sources", 1), ("--frequency", 1e9)):
        line = refused("publish", log, *out, *option)
        assert f"expected {option[0]} beside samples, found estimates, which are passed on as they are" in line
    assert "--timeout beside a publisher's address" in refused("publish", tmp_path / "a.npz", *out, "--timeout", 1)


@pytest.mark.parametrize("loop", [(), ("--loop",)])
def test_a_number_of_estimates_is_made_of_samples(doamc, tmp_path, loop):
    assert doamc("simulate", "ula4", "-o", tmp_path / "in.npz", "--batches", 3, "--snapshots", 32)[0] == 0
    count = 5 if loop else 2
    status, out, _ = doamc("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "music", "--sources", 1,
                           "--record", tmp_path / "out.jsonl", "--address", FREE, "--wait", 0, "--rate", 1000,
                           "--count", count, *loop)  # fmt: skip
    assert status == 0 and f"published {count} estimates, 0 batches failed" in out
    assert [m["seq"] for m in read_records(tmp_path / "out.jsonl")] == list(range(count))


def test_the_place_of_the_station_is_in_every_log(doamc, log, tmp_path):
    """So that `doamc locate` needs no file of stations."""
    logs = {"--record": "a.jsonl", "--csv-log": "a.csv", "--sqlite": "a.sqlite"}
    told = [str(word) for option, name in logs.items() for word in (option, tmp_path / name)]
    where = ("--heading", "90", "--latitude", "48.1372001", "--longitude", "-11.5")
    assert doamc("publish", log, *told, *where)[0] == 0
    assert doamc("publish", tmp_path / "a.jsonl", "--record", tmp_path / "b.jsonl")[0] == 0  # passed on as it is
    for name in (*logs.values(), "b.jsonl"):
        rows = read_bearing_log(tmp_path / name, BearingStation()).rows
        assert rows["latitude_deg"].tolist() == [48.1372001] * 4 and rows["longitude_deg"].tolist() == [-11.5] * 4
        assert rows["bearing_deg"].tolist() == [90.0, 0.0, 270.0, 180.0]


#: 80 degrees from magnetic north, which lies 4.5 degrees to the east: +x looks to 84.5
MOUNT = '[mount]\noffset_deg = 80.0\nnorth = "magnetic"\ndeclination_deg = 4.5\n'


def test_the_heading_is_the_option_else_the_mount_else_the_one_in_the_estimates(doamc, tmp_path):
    (tmp_path / "roof.toml").write_text(f"{(SHIPPED / 'ula4.toml').read_text()}\n{MOUNT}")
    out = tmp_path / "out.jsonl"

    def headings(*arguments):
        out.unlink(missing_ok=True)
        status, _, err = doamc("publish", *arguments, "--record", out)
        assert (status, err) == (0, "")
        return {(m.get("heading_deg"), m["sources"][0].get("bearing_deg")) for m in read_records(out)}

    with Recorder(tmp_path / "known.jsonl") as record:
        record.write(message([10.0], heading_deg=30.0))
    with Recorder(tmp_path / "unknown.jsonl") as record:
        record.write(message([10.0]))
    with Recorder(tmp_path / "vehicle.jsonl") as record:
        record.write(message([10.0]) | {"receiver": {"heading_deg": 200.0}})
    known, unknown, vehicle = (tmp_path / f"{name}.jsonl" for name in ("known", "unknown", "vehicle"))
    roof = tmp_path / "roof.toml"
    assert headings(unknown) == {(None, None)} and headings(known) == {(30.0, 20.0)}
    assert headings(unknown, "--array", roof) == headings(known, "--array", roof) == {(84.5, 74.5)}
    assert headings(known, "--array", roof, "--heading", 350) == {(350.0, 340.0)}
    assert headings(vehicle) == {(200.0, 190.0)} and headings(vehicle, "--array", roof) == {(280.0, 270.0)}
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "in.npz", snapshots=rng.standard_normal((2, 4, 32)) + 1j)
    live = tmp_path / "in.npz", "--method", "music", "--sources", 1, "--address", FREE, "--wait", 0, "--rate", 200
    for array, options, heading in (("ula4", (), None), (roof, (), 84.5), (roof, ("--heading", 20), 20.0)):
        headings(*live, "--array", array, *options)
        for m in read_records(out):
            (source,) = m["sources"]
            assert m.get("heading_deg") == heading and ("bearing_deg" in source) == (heading is not None)
            if heading is not None:
                assert source["bearing_deg"] == pytest.approx((heading - source["azimuth_deg"]) % 360)


@pytest.mark.parametrize("option", ["--csv", "--csv-latest", "--xml"])
def test_map_tools_are_not_given_an_unknown_orientation_in_silence(doamc, log, tmp_path, option):
    status, _, err = doamc("publish", log, option, tmp_path / "out")
    assert status == 0 and err.count("\n") == 1 and "map tools will take +x for north; add --heading" in err


def test_a_publisher_becomes_csv_and_another_publisher(doamc, tmp_path):
    ended = threading.Event()
    with Publisher(FREE, heartbeat_s=0.05) as publisher:

        def send():
            seq = 0
            while not ended.wait(0.02):
                publisher.estimate(message([45.0], seq=seq))
                seq += 1

        sender = threading.Thread(target=send)
        sender.start()
        try:
            status, out, err = doamc("publish", publisher.address, "--heading", 0, "--csv", tmp_path / "a.csv",
                                     "--record", tmp_path / "a.jsonl", "--address", FREE, "--wait", 0, "--count", 3,
                                     "--timeout", 20)  # fmt: skip
        finally:
            ended.set()
            sender.join(10)
    assert (status, err) == (0, "") and "passed on 3 estimates" in out and "publishing on tcp://" in out
    assert [line.split(", ")[1] for line in (tmp_path / "a.csv").read_text().splitlines()] == ["315.00"] * 3
    seqs = [m["seq"] for m in read_records(tmp_path / "a.jsonl")]
    assert seqs == list(range(seqs[0], seqs[0] + 3))


def test_a_recording_is_estimated_written_and_annotated(doamc, tmp_path):
    for suffix in (".sigmf-meta", ".sigmf-data"):
        shutil.copy(RECORDING.with_suffix(suffix), tmp_path / f"r{suffix}")
    path = tmp_path / "r.sigmf-meta"
    status, out, err = doamc("publish", path, "--array", "uca5", "--method", "ml", "--sources", 2, "--batches", 3,
                             "--address", FREE, "--wait", 0, "--csv", tmp_path / "o.csv", "--all-sources",
                             "--heading", 0, "--annotate", path)  # fmt: skip
    assert (status, err) == (0, "") and "published 3 estimates" in out
    rows = [line.split(", ") for line in (tmp_path / "o.csv").read_text().splitlines()]
    assert len(rows) == 6 and {row[4] for row in rows} == {"300000000"} and {row[5] for row in rows} == {"UCA"}
    # emitters at 48.2 and 231.5 deg; within the error that ml has on this recording
    assert sorted(float(row[1]) for row in rows)[:3] == pytest.approx([360 - 231.5] * 3, abs=4.0)
    annotations = [a for a in Recording(path).metadata["annotations"] if a.get("core:generator") == "doamc"]
    assert len(annotations) == 6


@pytest.fixture
def dated(tmp_path):
    """A copy of the recording whose one capture begins at noon; the path and that time."""
    noon = datetime(2026, 1, 2, 12, 0, tzinfo=timezone.utc).timestamp()
    metadata = json.loads(RECORDING.with_suffix(".sigmf-meta").read_text())
    metadata["captures"][0]["core:datetime"] = "2026-01-02T12:00:00.000Z"
    metadata["global"]["core:geolocation"] = {"type": "Point", "coordinates": [11.5, 48.1]}
    path = tmp_path / "dated.sigmf-meta"
    path.write_text(json.dumps(metadata))
    shutil.copy(RECORDING.with_suffix(".sigmf-data"), path.with_suffix(".sigmf-data"))
    return path, noon


@pytest.mark.parametrize("pace", [(), ("--rate", 100)])
def test_a_recording_keeps_its_own_time_at_any_pace(doamc, dated, tmp_path, pace):
    path, noon = dated
    made = doamc("publish", path, "--array", "uca5", "--method", "music", "--sources", 1, "--batches", 8, *pace,
                 "--address", FREE, "--wait", 0, "--record", tmp_path / "o.jsonl", "--csv", tmp_path / "o.csv",
                 "--heading", 0, "--annotate", path)  # fmt: skip
    assert (made[0], made[2]) == (0, "")
    recording, messages = Recording(path), list(read_records(tmp_path / "o.jsonl"))
    starts = recording.starts(8, 256)
    assert [m["sample_time"] for m in messages] == pytest.approx(starts / recording.sample_rate_hz)
    assert [m["time"] - noon for m in messages] == pytest.approx(starts / recording.sample_rate_hz, abs=1e-5)
    assert [m["rx_time"] for m in messages] == [m["time"] for m in messages]
    assert [m["receiver"] for m in messages] == [{"latitude": 48.1, "longitude": 11.5}] * 8
    rows = [line.split(", ") for line in (tmp_path / "o.csv").read_text().splitlines()]
    assert [int(row[0]) for row in rows] == [round(1e3 * m["time"]) for m in messages]
    annotations = [a for a in recording.metadata["annotations"] if a.get("core:generator") == "doamc"]
    assert [a["core:sample_start"] for a in annotations] == starts.tolist()


def test_a_gap_in_a_recording_is_told_and_not_waited_for(doamc, dated, tmp_path):
    """The second capture begins a day later; playing both takes a fraction of a second."""
    path, noon = dated
    metadata = json.loads(path.read_text())
    half = Recording(path).n_samples // 2
    metadata["captures"].append(
        metadata["captures"][0] | {"core:sample_start": half, "core:datetime": "2026-01-03T12:00:00Z"}
    )
    path.write_text(json.dumps(metadata))
    status, _, err = doamc("publish", path, "--array", "uca5", "--method", "music", "--sources", 1, "--batches", 4,
                           "--address", FREE, "--wait", 0, "--record", tmp_path / "o.jsonl")  # fmt: skip
    assert (status, err) == (0, "")
    times = [(m["time"] - noon, m["sample_time"]) for m in read_records(tmp_path / "o.jsonl")]
    assert [t for t, _ in times] == pytest.approx([t for _, t in times], abs=1e-5)
    assert times[1][0] < 1.0 and 86400.0 <= times[2][0] < 86401.0


def test_a_full_disk_starves_no_other_output_and_repeats_no_number(doamc, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "in.npz", snapshots=rng.standard_normal((6, 4, 32)) + 1j)
    status, out, err = doamc("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "music", "--sources", 1,
                             "--address", FREE, "--wait", 0, "--rate", 200, "--heading", 0, "--csv", "/dev/full",
                             "--xml", tmp_path / "o.xml", "--record", tmp_path / "o.jsonl", "--station-frequency",
                             1e8)  # fmt: skip
    told, error = err.splitlines()
    assert told.startswith("doamc: --csv: cannot write /dev/full: No space left on device")
    assert status == 2 and error.startswith("doamc: error: ") and "--csv without 6 of 6 estimates" in error
    assert "published 6 estimates, 0 batches failed" in out
    messages = list(read_records(tmp_path / "o.jsonl"))
    assert [m["seq"] for m in messages] == list(range(6))
    newest = messages[-1]["sources"][0]["azimuth_deg"] % 360
    assert ElementTree.parse(tmp_path / "o.xml").findtext("DOA") == f"{newest:.2f}"


def test_a_method_that_breaks_down_loses_that_batch_only(doamc, tmp_path, monkeypatch):
    real, calls = replay.estimate_batch, []

    def breaks(*arguments):
        calls.append(1)
        if len(calls) in (2, 5):
            raise torch.linalg.LinAlgError("linalg.cholesky: not positive-definite\nand more")
        return real(*arguments)

    monkeypatch.setattr(replay, "estimate_batch", breaks)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "in.npz", snapshots=rng.standard_normal((6, 4, 32)) + 1j)
    status, out, err = doamc("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "music", "--sources", 1,
                             "--address", FREE, "--wait", 0, "--rate", 200, "--record",
                             tmp_path / "o.jsonl")  # fmt: skip
    assert (status, err) == (0, "")
    assert "published 4 estimates, 2 batches failed (batch 4 cannot be estimated (linalg.cholesky: not" in out
    assert out.count("\n") == 2
    assert [m["seq"] for m in read_records(tmp_path / "o.jsonl")] == [0, 1, 2, 3]
    monkeypatch.setattr(replay, "estimate_batch", lambda *arguments: 1 / 0)
    status, _, err = doamc("publish", tmp_path / "in.npz", "--array", "ula4", "--method", "music", "--address", FREE,
                           "--wait", 0, "--rate", 200)  # fmt: skip
    assert status == 2 and err == "doamc: error: batch 5 cannot be estimated (division by zero)\n"


def test_all_posts_that_a_stalling_server_lost_are_told(doamc, tmp_path):
    with Recorder(tmp_path / "in.jsonl") as record:
        for k in range(50):
            record.write(message([1.0], seq=k))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        status, out, err = doamc("publish", tmp_path / "in.jsonl", "--post", url, "--csv", tmp_path / "o.csv")
    counts = [int(word) for word in out.replace(",", "").split() if word.isdigit()]
    estimates, sent, failed, dropped = counts
    assert (estimates, sent, failed + dropped) == (50, 0, 50)
    assert status == 2 and "50 of 50 posts lost" in err and len((tmp_path / "o.csv").read_text().splitlines()) == 50


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "expected an output"),
        (("--post", "here"), "http or https"),
        (("--csv", "no/such/folder.csv"), "cannot write"),
        (("--csv", "a.csv", "--station-id", "a,b"), "station id"),
        (("--csv", "a.csv", "--latitude", "91", "--longitude", "0"), "latitude"),
        (("--csv", "a.csv", "--latitude", "48"), "--latitude and --longitude, found one of them"),
    ],
)
def test_what_cannot_be_written_is_refused_at_once(refused, log, options, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in refused("publish", log, *options)
    assert not (tmp_path / "a.csv").exists()


def test_estimates_without_a_frequency_need_one(doamc, tmp_path):
    path = tmp_path / "in.jsonl"
    with Recorder(path) as record:
        record.write(message([1.0], frequency_hz=None))
    status, _, err = doamc("publish", path, "--csv", tmp_path / "a.csv")
    assert status == 2 and "--station-frequency" in err
    assert doamc("publish", path, "--csv", tmp_path / "a.csv", "--station-frequency", "1e8")[0] == 0


def test_a_faulty_line_of_a_log_costs_only_itself(doamc, log, tmp_path):
    lines = log.read_text().splitlines()
    faulty = json.loads(lines[-1]) | {"seq": -1}
    log.write_text("\n".join([json.dumps(faulty), *lines]) + "\n")
    status, out, err = doamc("publish", log, "--csv", tmp_path / "a.csv", "--heading", 0)
    assert (status, out) == (0, "passed on 4 estimates\n")
    assert err.startswith("doamc: passed over 1 messages; the last: doamc.estimate/1: seq: -1") and err.count("\n") == 1


def test_lines_that_are_no_messages_are_counted_but_not_a_last_one_that_is_being_written(doamc, log, tmp_path):
    digits = log.read_text().splitlines()[1].replace('"seq":', '"seq":' + "9" * 5000)
    log.write_text(f"no JSON\n{digits}\n\n" + log.read_text() + '{"schema":"doamc.esti')
    status, out, err = doamc("publish", log, "--csv", tmp_path / "a.csv", "--heading", 0)
    assert (status, out) == (0, "passed on 4 estimates\n")
    assert err.startswith("doamc: passed over 2 messages; the last: expected a JSON message") and err.count("\n") == 1


def test_snapshots_need_an_array(refused):
    assert "--array" in refused("publish", "in.npz")


def test_the_emulator_serves_an_array_and_ends_after_its_frames(program):
    process = program("heimdall-emulator", "--array", "uca5", "--samples", 512, "--fast", "--frames", 20, "--port", 0,
                      "--control-port", 0, "--azimuth-deg", 40, 200, "--fault", "drop=0.2", "--seed", 1)  # fmt: skip
    line = process.stdout.readline()
    ports = [int(part.rpartition(":")[2]) for part in line.split(",")]
    assert "uca5, emitters at 40.0, 200.0 deg: 5 channels, 512 samples a frame" in process.stdout.readline()
    with Control(port=ports[1]) as control, Client("127.0.0.1", [Heimdall(ports[0], 5)]) as client:
        control.set_gains([10.0] * 5)
        while client.counters.frames < 20:
            frame = client.get(60.0)
            assert frame is not None and frame.samples.shape == (5, 512)
            client.release(frame)
        assert client.counters.lost > 0
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == "" and "drop" in out


def test_the_emulator_serves_a_recording(program):
    process = program("heimdall-emulator", "--recording", RECORDING.with_suffix(".sigmf-meta"), "--samples", 1000,
                      "--fast", "--port", 0, "--control-port", 0)  # fmt: skip
    port = int(process.stdout.readline().split(",")[0].rpartition(":")[2])
    recording = Recording(RECORDING.with_suffix(".sigmf-meta"))
    with Client("127.0.0.1", [Heimdall(port)]) as client:
        for k in range(3):
            frame = client.get(60.0)
            assert (frame.samples == recording.read(1000 * k, 1000)).all()
            assert frame.frequency_hz == recording.frequency_hz == 300e6
            client.release(frame)


def test_the_emulator_ends_as_the_original_does_when_a_client_leaves_a_frame(program):
    process = program("heimdall-emulator", "--samples", 4096, "--fast", "--port", 0, "--control-port", 0)
    port = int(process.stdout.readline().split(",")[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 20.0) as client:
        client.sendall(b"streaming")
        assert client.recv(10)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and "frames 1," in out
    assert err.startswith("doamc: error: a client left while a frame was on its way") and err.count("\n") == 1


@pytest.mark.parametrize(
    "option", ["--frequency=1e300", "--sample-rate=1e300", "--sample-rate=1e-300", "--azimuth-deg=1e300",
               "--samples=1000000000000", "--snr-db=-1e300", "--seed=18446744073709551616", "--stall=1e300"],
)  # fmt: skip
def test_odd_numbers_are_refused_by_the_emulator(refused, option):
    line = refused("heimdall-emulator", "--port", "0", "--control-port", "0", option)
    assert "expected" in line and len(line) < 300


def test_bad_arguments_of_the_emulator_are_refused(refused):
    assert "drop" in refused("heimdall-emulator", "--fault", "nonsense=0.1")
    assert "NAME=RATE" in refused("heimdall-emulator", "--fault", "drop")
    assert "at most 1 together" in refused("heimdall-emulator", "--fault", "drop=0.6", "--fault", "stall=0.6")
    assert "port" in refused("heimdall-emulator", "--port", "70000")
    assert "3600 s" in refused("heimdall-emulator", "--restart", "4000")
    assert len(refused("heimdall-emulator", "--port", "0", "--samples", "16", "--host", "a" * 9999)) < 250
    assert "array must be" in refused("heimdall-emulator", "--array", "none")

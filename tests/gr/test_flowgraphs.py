"""Every flowgraph compiles and runs headless, as a process of its own, and ends by itself with all estimates sent."""

import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from doamc.cli import main
from doamc.estimates import Subscriber, validate
from doamc.krakensdr.scene import Scene
from doamc.krakensdr.sources import SimulatedFrames
from doamc.krakensdr.version1.emulator import Emulator
from doamc.krakensdr.version2.emulator import Payloads, SuiteEmulator, Times
from doamc.spec import load_spec
from tests.gr.running import compile_flowgraphs

ROOT = Path(__file__).resolve().parents[2]
FLOWGRAPHS = ROOT / "flowgraphs"
RECORDING = FLOWGRAPHS / "recordings" / "kraken5_mixed_2.sigmf-meta"
NAMES = sorted(p.stem for p in FLOWGRAPHS.glob("*.grc"))


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """Folder with the scripts of all flowgraphs."""
    folder = tmp_path_factory.mktemp("scripts")
    files = [str(FLOWGRAPHS / f"{name}.grc") for name in NAMES]
    printed = compile_flowgraphs(files, folder)
    for name in NAMES:
        assert str(folder / f"{name}.py") in printed
    return folder


def run(script, *options, limit_s=150.0):
    """Run a script; what it published, by topic, and what it printed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    topics = ("estimate", "signal", "sky", "spectrum", "status", "truth", "waveforms")
    heard: dict[str, list] = {f"doamc.{topic}": [] for topic in topics}
    ended, subscriber = threading.Event(), Subscriber(address, topics=("doamc",))

    def listen():
        while (item := subscriber.receive(1.0)) or not ended.is_set():
            if item:
                heard[item[0]].append(item[1])
        subscriber.close()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        command = [sys.executable, str(script), "--address", address, *map(str, options)]
        done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, timeout=limit_s)
    finally:
        ended.set()
        listener.join(60.0)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for message in [m for messages in heard.values() for m in messages]:
        validate(message)
    return heard, done


def test_the_flowgraphs_are_those_that_are_tested():
    # those of receivers are run by test_receivers.py
    assert NAMES == [
        "band_live", "band_live_qt", "elevation_live", "embedded_blocks", "krakensdr", "krakensdr_band", "live_doa",
        "live_doa_qt", "replay_recording", "rtlsdr_set", "separate_qpsk", "sky_live", "soapy_multichannel",
        "uhd_b210_pair", "uhd_x310_twinrx",
    ]  # fmt: skip


def test_live_doa(scripts):
    heard, done = run(scripts / "live_doa.py", "--method", "music", "--duration", 1.5, "--seed", 3)
    last = heard["doamc.status"][-1]
    assert last["state"] == "stopped"
    counts = last["counters"]
    assert counts["received"] == 15 == counts["estimated"] + counts["dropped"] and counts["failed"] == 0
    assert [m["seq"] for m in heard["doamc.estimate"]] == list(range(counts["estimated"]))
    truth = heard["doamc.truth"]
    assert truth[0]["azimuth_deg"][0] == -25.0 and truth[0]["array"] == "ula8"
    assert truth[-1]["azimuth_deg"][1] == pytest.approx(2.0 * truth[-1]["sample_time"])  # it moves at 2 deg/s
    # plain MUSIC does not know the coupling: bearings come near, within the error that it is known for
    for message in heard["doamc.estimate"]:
        still, moving = (s["azimuth_deg"] for s in message["sources"])
        assert still == pytest.approx(-25.0, abs=8.0)
        assert moving == pytest.approx(2.0 * message["sample_time"], abs=8.0)
    assert "doamc.status/1" in done.stdout  # message debug


def test_replay_recording_paced_for_a_while(scripts):
    heard, _ = run(
        scripts / "replay_recording.py", "--recording", RECORDING, "--method", "ml", "--duration", 1, "--array", "uca5"
    )
    counts = heard["doamc.status"][-1]["counters"]
    assert counts["received"] == 10 == counts["estimated"] + counts["dropped"] and counts["failed"] == 0
    assert len(heard["doamc.estimate"]) == counts["estimated"] > 0
    bearings = [np.sort([s["azimuth_deg"] % 360 for s in m["sources"]]) for m in heard["doamc.estimate"]]
    assert np.median(bearings, 0) == pytest.approx([48.2, 231.5], abs=2.0)
    assert {m["frequency_hz"] for m in heard["doamc.estimate"]} == {300e6}


def test_replay_recording_once_to_its_end(scripts):
    heard, _ = run(
        scripts / "replay_recording.py", "--recording", RECORDING, "--method", "music", "--repeat", 0, "--duration", 0,
        "--hop", 6000, "--sources", 0,
    )  # fmt: skip
    counts = heard["doamc.status"][-1]["counters"]
    assert counts["received"] == 10 and len(heard["doamc.estimate"]) == counts["estimated"]


class Tuned(SimulatedFrames):
    """Frames of which the fourth to be fetched waits, with the emulator's clock, until the frequency has been set."""

    server: Emulator
    fetched = 0

    def frame(self, number):
        begin, self.fetched = time.time(), self.fetched + 1
        while self.fetched == 4 and self.server.control.frequency_hz != 868e6 and time.time() < begin + 60:
            time.sleep(0.01)
        self.server.line._begin += time.time() - begin
        return super().frame(number)


def test_krakensdr_with_the_emulator(scripts):
    """An array wired as the KrakenSDR's manual says, and not a word about it to the flowgraph."""
    scene = Tuned(load_spec("krakensdr"), [40.0, 200.0], 20.0, cpi_length=20_000, sample_rate_hz=2e5, seed=3)
    scene.server = Emulator(scene)
    with scene.server as server:
        heard, done = run(
            scripts / "krakensdr.py", "--port", server.port, "--control-port", server.control_port, "--sources", 2,
            "--duration", 1, "--hop", 20_000, "--frequency", 868e6, "--gain", 20.7,
        )  # fmt: skip
        assert server.control.gains_db == [20.7] * 5 and server.control.frequency_hz == 868e6
    counts = heard["doamc.status"][-1]["counters"]
    assert counts["received"] == 10 == counts["estimated"] + counts["dropped"] and counts["failed"] == 0
    assert len(heard["doamc.estimate"]) == counts["estimated"] > 0  # a busy computer drops batches, but the newest
    newest = max(heard["doamc.estimate"], key=lambda m: m["batch_seq"])  # which the last one need not be
    assert newest["frequency_hz"] == 868e6
    for message in heard["doamc.estimate"]:
        found = sorted(s["azimuth_deg"] % 360 for s in message["sources"])
        assert found == pytest.approx([40.0, 200.0], abs=1.0)
    assert "streaming" in done.stdout  # the state of the link, on message debug
    assert "streaming" in {m.get("link") for m in heard["doamc.status"]}  # and in the stream


def test_krakensdr_of_version_2_on_a_mast(scripts):
    """Antenna 0 at a bearing of 70 degrees: an emitter 40 degrees to its left is in 30, one 160 to its left in 270."""
    scene = Scene(load_spec("krakensdr"), [40.0, 160.0], 20.0, seed=3)  # antenna m at -72 m degrees
    times = Times(**dict.fromkeys(("waiting", "measuring", "applying", "verifying"), 0.0))
    with SuiteEmulator(Payloads(scene.draw, 5, 4096, count=60), times=times, paced=False, room=4) as server:
        heard, _ = run(
            scripts / "krakensdr.py", "--port", server.port, "--control-port", server.control_port, "--sources", 2,
            "--duration", 0.1, "--hop", 20_000, "--heading", 70,
        )  # fmt: skip
    assert heard["doamc.estimate"]
    for message in heard["doamc.estimate"]:
        assert message["heading_deg"] == 70.0
        assert sorted(s["bearing_deg"] for s in message["sources"]) == pytest.approx([30.0, 270.0], abs=1.0)


def test_band_live_of_a_simulated_band(scripts, tmp_path):
    """Two signals of a capture that `doamc simulate --band` made, as fast as it goes: all of it is told."""
    one = "kind='nfm', frequency_hz=299.95e6, bandwidth_hz=12.5e3, azimuth_deg=40.0, snr_db=15.0"
    other = "kind='4fsk', frequency_hz=300.04e6, bandwidth_hz=12.5e3, azimuth_deg=200.0, snr_db=15.0, on_s=[[0.1, 0.3]]"
    scene = tmp_path / "band.toml"
    scene.write_text(
        f"frequency_hz = 300e6\nsample_rate_hz = 240e3\nduration_s = 0.5\nemitters = [{{{one}}}, {{{other}}}]\n"
    )
    capture = tmp_path / "band.sigmf-meta"
    assert main(["simulate", "uca5", "--band", str(scene), "-o", str(capture)]) == 0
    heard, _ = run(
        scripts / "band_live.py", "--recording", capture, "--array", "uca5", "--method", "ml", "--sources", 1, "--pace",
        0, "--repeat", 0, "--duration", 0,
    )  # fmt: skip
    counts = heard["doamc.status"][-1]["counters"]
    assert counts["received"] == counts["used"] == 25 and counts["dropped"] == counts["failed"] == 0
    signals = heard["doamc.signal"]
    assert [m["seq"] for m in signals] == list(range(len(signals)))
    last = sorted((m for m in signals if m["ended"]), key=lambda m: m["frequency_hz"])
    assert [m["frequency_hz"] for m in last] == pytest.approx([299.95e6, 300.04e6], abs=2e3)
    assert [m["sources"][0]["azimuth_deg"] for m in last] == pytest.approx([40.0, 200.0], abs=1.0)
    assert len({m["track"] for m in last}) == 2
    assert [m["seq"] for m in heard["doamc.spectrum"]] == list(range(8))  # of three slices each


def test_sky_live_with_the_coupling_taken_out_and_left_in(scripts):
    """Two emitters on the horizon of sixteen antennas: a tenth of a beam is 1.7 degrees, ten decibels are asked for."""
    heard, _ = run(scripts / "sky_live.py", "--duration", 2, "--integration", 1, "--pixels", 48)
    newest = {m["name"]: m for m in heard["doamc.sky"]}
    removed, left = newest["coupling taken out"], newest["coupling left in"]
    assert (removed["coupling"], left["coupling"]) == ("taken out", "left in")
    assert removed["snapshots"] == 200_000
    assert removed["dynamic_range_db"] >= left["dynamic_range_db"] + 10
    assert [s["azimuth_deg"] for s in removed["sources"]] == pytest.approx([20.0, 110.0], abs=0.2)
    assert [s["power_db"] for s in removed["sources"]] == pytest.approx([0.0, -3.0], abs=0.1)
    assert removed["beam_deg"][0] == pytest.approx(16.8, abs=0.1)


def test_krakensdr_band_with_the_emulator(scripts):
    """Two emitters that fill the band are one signal from two directions."""
    scene = Scene(load_spec("krakensdr"), [40.0, 160.0], 20.0, seed=3)
    times = Times(**dict.fromkeys(("waiting", "measuring", "applying", "verifying"), 0.0))
    with SuiteEmulator(Payloads(scene.draw, 5, 4096, count=60), times=times, paced=False, room=4) as server:
        heard, done = run(
            scripts / "krakensdr_band.py", "--port", server.port, "--control-port", server.control_port, "--sources", 2,
            "--method", "music", "--duration", 0.1, "--heading", 70,
        )  # fmt: skip
    counts = heard["doamc.status"][-1]["counters"]
    assert counts["received"] == counts["used"] + counts["dropped"] and counts["failed"] == 0
    assert "streaming" in done.stdout
    for message in heard["doamc.signal"]:
        assert message["heading_deg"] == 70.0 if message["sources"] else message["n_sources"] == 0


def test_embedded_blocks_compile_without_any_block_of_ours_and_run(tmp_path, monkeypatch):
    monkeypatch.delenv("GRC_BLOCKS_PATH", raising=False)
    code = "import sys; from gnuradio.grc.compiler import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "-o", str(tmp_path), str(FLOWGRAPHS / "embedded_blocks.grc")],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    heard, _ = run(tmp_path / "embedded_blocks.py", "--method", "ml", "--duration", 1)
    assert [m["seq"] for m in heard["doamc.estimate"]] == list(range(10))
    coupling = np.eye(8) + (0.3 - 0.2j) * (np.eye(8, k=1) + np.eye(8, k=-1))
    coupling = coupling + (0.1 + 0.05j) * (np.eye(8, k=2) + np.eye(8, k=-2))
    for message in heard["doamc.estimate"]:
        assert [s["azimuth_deg"] for s in message["sources"]] == pytest.approx([-20.0, 25.0], abs=1.5)
        found = np.array(message["coupling"]["re"]) + 1j * np.array(message["coupling"]["im"])
        assert np.linalg.norm(found - coupling) < 0.3 * np.linalg.norm(coupling - np.eye(8))


def test_address_in_use_ends_the_script_with_the_cause(scripts):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, str(scripts / "live_doa.py"), "--address", address, "--method", "music"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 1
    assert "PublishError" in done.stderr and "in use" in done.stderr

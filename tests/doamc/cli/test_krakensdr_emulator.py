"""``doamc krakensdr-emulator`` as a program: both versions, what it says, what it refuses."""

import json
import signal
import socket

import numpy as np
import pytest

from doamc.krakensdr.scene import Scene
from doamc.krakensdr.wiring import channel_order
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import load_spec
from tests.doamc.cli.test_cli_outputs import RECORDING
from tests.doamc.krakensdr.version2.emulator.plain import complex_of, read_all
from tests.doamc.krakensdr.version2.serving import CHANNELS, packet, sending

FREE = "--port", 0, "--control-port", 0
#: no state but that of calibrated samples
AT_ONCE = [w for s in ("waiting", "measuring", "applying", "verifying") for w in ("--time", f"{s}=0")]


def ports(process):
    return [int(part.rpartition(":")[2]) for part in process.stdout.readline().split(",")]


def test_version_2_serves_the_ring_as_the_manual_wires_it_and_tells_what_it_sent(program, tmp_path):
    report = tmp_path / "sent.json"
    process = program("krakensdr-emulator", "--array", "uca5", "--samples", 4096, "--fast", "--packets", 12,
                      "--azimuth-deg", 40, "--snr-db", 30, "--seed", 5, "--report", report,
                      *AT_ONCE, *FREE)  # fmt: skip
    data, _ = ports(process)
    said = process.stdout.readline()
    assert said.startswith("uca5, emitters at 40.0 deg, channels from elements 0, 4, 3, 2, 1: 5 channels, 4096 samples")
    plain = read_all(data)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert plain.states == {4: 12} and plain.passed_over == 0
    assert f"packets 12 (converged 12, usable 12), broken 0, lost 0, unsent 0; bytes {plain.received} (packet" in out
    table = json.loads(report.read_text())
    assert table["all"]["sent"] == plain.received and table["packets"] == 12 and len(table["clients"]) == 1
    # the eigenvector of the only emitter is the response of antennas at -72 m degrees, coupled
    spec = load_spec("uca5")
    samples = np.concatenate([complex_of(p.samples.astype(float)) for p in plain.packets], 1)
    _, vectors = np.linalg.eigh(samples @ samples.conj().T)
    found = vectors[:, -1]
    order = channel_order(spec, "clockwise")
    coupling = Scene(spec, [40.0], 30.0, seed=5).coupling[np.ix_(order, order)]
    expected = coupling @ np.exp(2j * np.pi * 0.35 * np.cos(np.deg2rad(-72.0 * np.arange(5) - 40.0)))
    assert abs(np.vdot(found, expected)) > 0.999 * np.linalg.norm(expected)


def test_version_2_serves_a_recording(program):
    recording = Recording(RECORDING.with_suffix(".sigmf-meta"))
    process = program("krakensdr-emulator", "--recording", recording.path, "--samples", 1000, "--packets", 3, "--fast",
                      "--dc-offset", 0, "--level-db", -20, *AT_ONCE, *FREE)  # fmt: skip
    plain = read_all(ports(process)[0])
    assert [p.frequencies for p in plain.packets] == 3 * [5 * (300e6,)]
    scale = None
    for k, taken in enumerate(plain.packets):
        sent, found = recording.read(1000 * k, 1000), taken.samples.astype(np.float32) - 127.5
        found = (found[..., 0] + 1j * found[..., 1]) / 127.5
        scale = scale or 0.1 / np.sqrt((abs(sent) ** 2).mean(1).max())
        assert abs(found - scale * sent).max() <= 0.5**0.5 / 127.5 + 1e-6  # half a step, in I and in Q


@pytest.fixture
def recorded(doamc, tmp_path):
    """The program that records so many packets of 40 samples from a server, and the recording that it made."""

    def record(name, port, packets):
        path = tmp_path / f"{name}.sigmf-meta"
        status, _, err = doamc("record", f"krakensdr://127.0.0.1:{port}", "-o", path, "--control-port", 1,
                               "--settling", 1e-4, "--duration", packets * 40 / 2.4e6)  # fmt: skip
        assert (status, err) == (0, "")
        return Recording(path)

    return record


@pytest.mark.parametrize("version", [1, 2])
def test_a_recording_of_a_receiver_is_served_as_it_was_received(program, recorded, version):
    stream = [packet(0), packet(1, noise=1), packet(2), packet(3, phase=1), packet(4, retuning=1, changes=1),
              *(packet(k, frequency_hz=868.3e6, changes=1) for k in range(5, 20))]  # fmt: skip
    with sending(*stream) as port:
        first = recorded("first", port, 8)
    process = program("krakensdr-emulator", "--version", version, "--recording", first.path, "--fast", *FREE)
    data, _ = ports(process)
    assert f"{CHANNELS} channels" in process.stdout.readline()
    again = recorded("again", data, 8)
    assert np.array_equal(first.read(0, 8 * 40), again.read(0, 8 * 40))
    assert [(s.start, s.frequency_hz) for s in again.segments] == [(0, 433.9e6), (40, 433.9e6), (80, 868.3e6)]
    notes = [a["doamc:kept_back"] for a in again.metadata["annotations"] if "doamc:kept_back" in a]
    if version == 2:
        assert again.metadata["annotations"] == first.metadata["annotations"]
        assert notes == [{"noise_source": 1}, {"not_converged": 1, "retuning": 1, "settling": 6}]
    else:
        assert notes == [{"not_data": 1}, {"not_synchronised": 8}]


def test_what_a_replay_has_no_use_for_is_refused_unless_samples_alone_are_wanted(refused, program, recorded):
    with sending(*(packet(k) for k in range(9))) as port:
        path = recorded("first", port, 8).path
    for words in (["--fault", "drop=0.1"], ["--loop", "1"], ["--time", "cooling=1"], ["--samples", "20"]):
        line = refused("krakensdr-emulator", "--recording", path, *words, *map(str, FREE))
        assert f"expected no {words[0]} for a recording that is replayed as it was received" in line
    process = program("krakensdr-emulator", "--recording", path, "--samples-only", "--samples", 20,
                      "--fault", "noise=0.1", *AT_ONCE, "--fast", "--packets", 9, *FREE)  # fmt: skip
    assert len(read_all(ports(process)[0]).packets) == 9


def test_interrupted_it_tells_what_was_sent(program):
    process = program("krakensdr-emulator", "--samples", 4096, "--loop", 0.01, "--time", "cooling=0.1", *FREE)
    data, _ = ports(process)
    with socket.create_connection(("127.0.0.1", data), 20.0) as client:
        assert client.recv(4) == b"MCHQ"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and err == ""
    assert "the server was stopped" in out and "all clients: packets" in out


def test_version_1_is_what_the_older_name_serves(program):
    said = []
    for words in (["krakensdr-emulator", "--version", 1], ["heimdall-emulator"]):
        process = program(*words, "--samples", 64, "--fast", "--frames", 1, "--seed", 3, "--frequency", 145e6, *FREE)
        ports(process)
        said.append(process.stdout.readline())
    assert said[0] == said[1] and said[0].startswith("uca5, emitters at ") and "from elements" not in said[0]


@pytest.mark.parametrize(
    ("words", "told"),
    [(["--forgive"], "expected options of version 2, found --forgive"),
     (["--version", "1", "--room", "3"], "expected options of version 1, found --"),
     (["--version", "3"], "invalid choice"), (["--fault", "duplicate=0.1"], "a fault is one of drop, garbage"),
     (["--fault", "drop"], "NAME=RATE"), (["--time", "cooldown=1"], "a time is one of retuning"),
     (["--time", "cooling"], "STATE=S"), (["--time", "cooling=-1"], "0 to 3600 s"), (["--array", "ula8"], "2 to 5 "),
     (["--samples", "65537"], "1 to 65536 samples"), (["--array", "ula4", "--channel-order", "clockwise"], "a ring"),
     (["--channel-order", "0,0"], "different elements"), (["--frequency", "2e9"], "1.766e+09 Hz"),
     (["--level-db", "99"], "level"), (["--gain-db", "1e99"], "up to 50 dB"),
     (["--report", "/nowhere/at/all.json"], "cannot write"),
     (["--loop", "1e300"], "expected"), (["--room", "0"], "expected"), (["--azimuth-deg=1e300"], "expected")],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_in_one_line(refused, words, told):
    line = refused("krakensdr-emulator", "--samples", "16", "--loop", "1e-3", *map(str, FREE), *words)
    assert told in line and len(line) < 400

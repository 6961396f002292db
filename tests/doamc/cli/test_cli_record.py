"""``doamc record``: from a server to directions, and every way in which it ends."""

import signal

import numpy as np
import pytest

from doamc.krakensdr.sources import SimulatedFrames
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import load_spec
from tests.doamc.krakensdr.version1.serving import emulator, wait_for
from tests.doamc.krakensdr.version2.serving import CHANNELS, LENGTH, Receiver, packet, rogue, sending


def scene_packets(azimuth_deg, count, length=1024, array="uca5"):
    """Packets of a scene, 8 bits; the offset of the converter is the same large number in all channels."""
    scene = SimulatedFrames(load_spec(array), azimuth_deg, 20.0, cpi_length=count * length, seed=3)
    samples = scene.frame(0)
    scaled = 30.0 * samples / np.abs(samples).std() + (9.0 - 5.0j)  # rms of some 40 steps
    parts = np.clip(np.round(np.stack([scaled.real, scaled.imag], -1) + 127.5), 0, 255).astype(np.uint8)
    return [packet(channels=5, samples=parts[:, k * length : (k + 1) * length], length=length) for k in range(count)]


def test_a_recording_is_estimated_as_it_stands(doamc, tmp_path):
    path = tmp_path / "a.sigmf-meta"
    packets = scene_packets([40.0, 200.0], 12)
    packets.insert(5, packet(channels=5, phase=5))
    with sending(*packets) as port:
        status, out, err = doamc(
            "record", f"krakensdr://127.0.0.1:{port}", "-o", path, "--duration", 12 * 1024 / 2.4e6, "--channels", 5,
            "--control-port", 1, "--array", "uca5",
        )  # fmt: skip
    assert (status, err) == (0, "")
    last = out.splitlines()[-1]
    assert (
        last == f"{path}: 0.0 s of 5 channels in 2 captures; kept back or lost before and between them: not_converged 1"
    )
    recording = Recording(path)
    assert (recording.n_samples, recording.array, recording.sample_rate_hz) == (12 * 1024, "uca5", 2.4e6)
    assert [s.start for s in recording.segments] == [0, 5 * 1024]
    assert recording.truth["receiver"]["protocol"] == 2 and recording.truth["counters"]["passed"] == 12
    found = tmp_path / "o.npz"
    status, _, err = doamc("estimate", path, "-o", found, "--array", "uca5", "--method", "ml", "--sources", 2,
                           "--snapshots", 1024, "--batches", 12)  # fmt: skip
    assert (status, err) == (0, "")
    with np.load(found) as estimates:
        assert np.sort(np.median(estimates["doa_deg"], 0) % 360) == pytest.approx([40.0, 200.0], abs=0.5)


def test_settings_are_made_first_and_what_comes_before_is_left_out(doamc, tmp_path):
    receiver, path = Receiver(), tmp_path / "a.sigmf-meta"

    def then(connection, ended):
        wait_for(lambda: receiver.frequency_hz == 868.3e6)
        for number in range(4, 9):
            connection.sendall(packet(number, frequency_hz=868.3e6, changes=1))
        ended.wait(60.0)

    with rogue(receiver.serve) as control, sending(*(packet(k) for k in range(4)), then=then) as port:
        status, out, err = doamc(
            "record", f"krakensdr://127.0.0.1:{port}", "-o", path, "--control-port", control, "--frequency", "868.3e6",
            "--gain", "auto", "--settling", 0, "--duration", 5 * LENGTH / 2.4e6, "--version", 2,
        )  # fmt: skip
    assert (status, err) == (0, "") and "other_frequency" in out
    assert Recording(path).frequency_hz == 868.3e6 and Recording(path).n_samples == 5 * LENGTH
    assert receiver.gain_db == -1


def test_an_interrupt_ends_it_and_keeps_what_came(program, tmp_path):
    path = tmp_path / "a.sigmf-meta"
    with emulator() as server:
        process = program("record", f"krakensdr://127.0.0.1:{server.port}", "-o", path, "--version", 1)
        assert process.stdout.readline() in ("waiting\n", "streaming\n")
        wait_for(lambda: server.requests > 50)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0 and err == "" and f"{CHANNELS} channels in 1 capture" in out
        wait_for(lambda: not server.serving)
        assert server.left == 0
    assert Recording(path).n_samples > 0


def test_a_server_that_leaves_is_an_error_after_a_while_and_what_came_is_kept(doamc, tmp_path):
    path = tmp_path / "a.sigmf-meta"
    turns = iter([b"".join(packet(k) for k in range(5))])
    with rogue(lambda connection, ended: connection.sendall(next(turns, b""))) as port:
        status, _, err = doamc("record", f"krakensdr://127.0.0.1:{port}", "-o", path, "--timeout", 0.5)
    assert status == 2 and "expected samples, found none for 0.5 s" in err and f"{path} has what came before" in err
    assert Recording(path).n_samples == 5 * LENGTH


def test_without_a_server_nothing_is_left(doamc, tmp_path):
    path = tmp_path / "a.sigmf-meta"
    status, _, err = doamc("record", "krakensdr://127.0.0.1:1", "-o", path, "--timeout", 0.3)
    assert status == 2 and "refused" in err and err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [(["localhost"], "krakensdr://HOST"), (["krakensdr://"], "krakensdr://HOST"),
     (["krakensdr://a:70000"], "krakensdr://HOST"), (["http://a"], "krakensdr://HOST"),
     (["krakensdr://a", "--gain", "loud"], "finite number"), (["krakensdr://a", "--frequency", "1e11"], "Hz"),
     (["krakensdr://a", "--version", "3"], "choose from"), (["krakensdr://a", "--settling", "-1"], "settling_s"),
     (["krakensdr://a", "--channels", "33"], "<= 32")],
)  # fmt: skip
def test_odd_arguments_are_refused(refused, tmp_path, words, told):
    assert told in refused("record", *words, "-o", tmp_path / "a.sigmf-meta")
    assert list(tmp_path.iterdir()) == []


def test_the_file_must_be_one(refused, tmp_path):
    assert ".sigmf-meta" in refused("record", "krakensdr://a", "-o", tmp_path / "a.npz")

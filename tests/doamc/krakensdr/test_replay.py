"""Recorded, served by an emulator, recorded again: the same samples, gaps and annotations."""

import json

import numpy as np
import pytest

from doamc.errors import ReceiverError, RecordingError
from doamc.krakensdr.recording import Tape, record
from doamc.krakensdr.replay import stretches
from doamc.krakensdr.version1.emulator import Emulator
from doamc.krakensdr.version1.replay import Replay as Frames
from doamc.krakensdr.version2.control import Control
from doamc.krakensdr.version2.emulator import SuiteEmulator
from doamc.krakensdr.version2.emulator.replay import Replay
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.stream_record import StreamRecorder
from tests.doamc.krakensdr.version1.serving import LENGTH as LENGTH_1
from tests.doamc.krakensdr.version1.serving import connected
from tests.doamc.krakensdr.version1.serving import emulator as emulator_1
from tests.doamc.krakensdr.version2.emulator.serving import LENGTH, RATE_HZ, emulator
from tests.doamc.krakensdr.version2.serving import client_of

#: what happens to the receiver and to its stream, by the number of the packet
AT = {
    20: "truncate", 40: "noise", 55: "retune", 90: "incoherent", 130: "wideband", 140: "channels", 150: "close",
    180: "retune", 181: "retune", 190: "restart", 215: "independent",
}  # fmt: skip
PACKETS = 160


def recorded(path, server, client, samples, rate_hz):
    with server, StreamRecorder(path) as recorder, client:
        record(client, Tape(recorder, samples / rate_hz), 60.0)
    return Recording(path)


def recorded_2(path, server, samples=PACKETS * LENGTH):
    client = client_of(server.port, settling_s=0.08, sample_rate_hz=RATE_HZ)
    return recorded(path, server, client, samples, RATE_HZ)


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A recording of version 2 in which everything happens that can."""
    return recorded_2(tmp_path_factory.mktemp("original") / "a.sigmf-meta", emulator(at=AT, restart_s=0.02))


def notes(recording):
    return recording.metadata["annotations"]


def borders(recording):
    return [(s.start, s.frequency_hz) for s in recording.segments]


def same_samples(one, other):
    return np.array_equal(one.read(0, one.n_samples), other.read(0, other.n_samples))


def test_version_2_is_received_as_it_was_recorded(original, tmp_path):
    reasons = {reason for note in notes(original) for reason in note.get("doamc:kept_back", {})}
    assert reasons >= {"lost", "noise_source", "retuning", "not_converged", "settling", "wideband", "wrong_channels"}
    assert sum("doamc:connected" in note for note in notes(original)) >= 2
    again = recorded_2(tmp_path / "b.sigmf-meta", SuiteEmulator(Replay(original), paced=False))
    assert same_samples(original, again)
    assert notes(again) == notes(original) and borders(again) == borders(original)


def test_version_2_is_served_as_version_1_with_what_that_can_tell(original, tmp_path):
    server = Emulator(Frames(original, 1 << 20), paced=False)
    again = recorded(tmp_path / "b.sigmf-meta", server, connected(server), PACKETS * LENGTH, RATE_HZ)
    assert same_samples(original, again) and borders(again) == borders(original)
    told = {"noise_source": "not_data", "wrong_channels": "wrong_channels", "lost": "lost"}
    for note, other in zip(notes(original), notes(again), strict=True):
        expected = {}
        for reason, count in note["doamc:kept_back"].items():
            name = told.get(reason, "not_synchronised")
            expected[name] = expected.get(name, 0) + count
        assert other["doamc:kept_back"] == expected and other["core:sample_start"] == note["core:sample_start"]
        assert other.get("doamc:connected") == note.get("doamc:connected")
    assert notes(again)[0]["doamc:gains_db"] == notes(original)[0]["doamc:gains_db"]


def test_version_1_is_received_as_it_was_recorded(tmp_path):
    at = {2: "drop", 4: "unsynchronised", 9: "restart", 15: "close", 20: "truncate", 30: "channels"}
    samples, rate_hz = 40 * LENGTH_1, 1e5
    server = emulator_1(at=at)
    server.line.overdrive = 0b101
    first = recorded(tmp_path / "a.sigmf-meta", server, connected(server), samples, rate_hz)
    server = Emulator(Frames(first, LENGTH_1), paced=False)
    again = recorded(tmp_path / "b.sigmf-meta", server, connected(server), samples, rate_hz)
    assert same_samples(first, again) and notes(again) == notes(first) and borders(again) == borders(first)


def test_it_begins_again_with_a_new_connection_and_leaves_out_a_packet_that_was_cut(original, tmp_path):
    short = recorded_2(tmp_path / "a.sigmf-meta", SuiteEmulator(Replay(original), paced=False), 15 * LENGTH // 2)
    again = recorded_2(tmp_path / "b.sigmf-meta", SuiteEmulator(Replay(short), paced=False), 14 * LENGTH)
    assert borders(again) == [(0, 433.9e6), (7 * LENGTH, 433.9e6)]
    assert all(note["doamc:connected"] for note in notes(again))
    once = short.read(0, 7 * LENGTH)
    assert np.array_equal(again.read(0, 14 * LENGTH), np.hstack([once, once]))


def test_the_receiver_is_told_as_it_was_and_takes_no_commands(original):
    server = SuiteEmulator(Replay(original), paced=False, status_s=0.02)
    with server, Control("127.0.0.1", server.control_port, timeout_s=20.0) as control:
        with pytest.raises(ReceiverError, match="a recording is replayed"):
            control.set_frequency(100e6)
        status = server.status()
    assert status["settings"]["center_freq"] == 433.9e6 and status["num_channels"] == original.n_channels


def test_other_recordings_are_none_that_can_be_replayed(original, tmp_path):
    path = tmp_path / "a.sigmf-meta"
    with StreamRecorder(path) as recorder:
        recorder.write(np.ones((3, 100), np.complex64), 1e4, 433.9e6, 1.7e9, True)
    assert stretches(Recording(path)) == []
    for kind in (Replay, lambda recording: Frames(recording, 10)):
        with pytest.raises(RecordingError, match="doamc record"):
            kind(Recording(path))


@pytest.mark.parametrize(
    "broken",
    [{"doamc:gains_db": [1.0]}, {"doamc:gains_db": "loud"}, {"doamc:sync_state": "locked"}, {"doamc:kept_back": 3},
     {"doamc:kept_back": {"lost": -1}}, {"doamc:packet_samples": 0}, {"doamc:packet_samples": 1e300},
     {"doamc:between": [7]}, {"doamc:between": 7}, {"doamc:between": [{"reason": "noise_source", "packets": 0}]},
     {"doamc:between": [{"reason": "settling", "packets": 1, "phase_state": -1, "samples": 4, "frequency_hz": 1.0,
                         "gains_db": [0.0, 0.0]}]},
     {"doamc:between": [{"reason": "settling", "packets": 1, "phase_state": 4}]}],
)  # fmt: skip
def test_annotations_that_nobody_recorded_are_refused(original, tmp_path, broken):
    table = json.loads(original.path.read_text())
    table["annotations"][0] |= broken
    path = tmp_path / "a.sigmf-meta"
    path.write_text(json.dumps(table))
    path.with_suffix(".sigmf-data").write_bytes(original.path.with_suffix(".sigmf-data").read_bytes())
    with pytest.raises((ReceiverError, RecordingError)) as raised:
        Replay(Recording(path))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 400

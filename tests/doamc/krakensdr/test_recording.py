"""Frames of both versions as a recording: samples, captures and what the annotations tell."""

import numpy as np
import pytest

from doamc.errors import ReceiverError
from doamc.krakensdr.frame import Frame
from doamc.krakensdr.recording import Tape, record
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.stream_record import StreamRecorder
from tests.doamc.krakensdr.version1.serving import LENGTH as LENGTH_1
from tests.doamc.krakensdr.version1.serving import Counting, connected, emulator
from tests.doamc.krakensdr.version2.serving import LENGTH, client_of, numbers_of, packet, sending


def recorded(path, client, duration_s, **options):
    """A recording of so many s, and its annotations without their labels and what only a replay needs."""
    with StreamRecorder(path) as recorder:
        with client:
            record(client, tape := Tape(recorder, duration_s, **options), 60.0)
    recording = Recording(path)
    left_out = "core:label", "doamc:between", "doamc:packet_samples"
    notes = [{k: v for k, v in a.items() if k not in left_out} for a in recording.metadata["annotations"]]
    return recording, notes, tape


def test_packets_of_version_2_and_what_happened_between_them(tmp_path):
    stream = [
        packet(0), packet(1), packet(2, phase=5), packet(3, noise=1), packet(4, phase=5), packet(5), packet(6)[:99],
        packet(7), packet(8, gain_db=1.4), packet(9, frequency_hz=868.3e6, changes=1), packet(10, frequency_hz=868.3e6),
        packet(11),
    ]  # fmt: skip
    with sending(*stream) as port:
        client = client_of(port, sample_rate_hz=1e5)
        recording, notes, tape = recorded(tmp_path / "a.sigmf-meta", client, 6.5 * LENGTH / 1e5)
    assert recording.n_samples == 260 and recording.sample_rate_hz == 1e5
    assert numbers_of(recording.read(0, 240)) == [0, 1, 5, 7, 8, 9]
    borders = [(s.start // LENGTH, s.frequency_hz) for s in recording.segments]
    assert borders == [(0, 433.9e6), (2, 433.9e6), (3, 433.9e6), (5, 868.3e6)]
    gains = [pytest.approx(20.7)] * 3
    assert notes == [
        {"core:sample_start": 0, "doamc:gains_db": gains, "doamc:sync_state": 4, "doamc:connected": True},
        {"core:sample_start": 80, "doamc:kept_back": {"not_converged": 2, "noise_source": 1}},
        {"core:sample_start": 120, "doamc:kept_back": {"lost": 1}},
        {"core:sample_start": 160, "doamc:gains_db": [pytest.approx(1.4)] * 3},
        {"core:sample_start": 200, "doamc:gains_db": gains},
    ]
    assert tape.kept_back == {"not_converged": 2, "noise_source": 1, "lost": 1}


def test_frames_of_version_1(tmp_path):
    with emulator(at={2: "drop", 4: "unsynchronised"}) as server:
        server.line.overdrive = 0b10
        recording, notes, tape = recorded(tmp_path / "a.sigmf-meta", connected(server), 5 * LENGTH_1 / 1e5)
    expected = np.hstack([Counting().frame(k) for k in (0, 1, 3, 4, 6)])
    assert np.array_equal(recording.read(0, 5 * LENGTH_1), expected)
    assert [s.start for s in recording.segments] == [0, 2 * LENGTH_1, 4 * LENGTH_1]
    assert notes[0]["doamc:overdriven"] == [1] and notes[0]["doamc:sync_state"] == 6
    assert notes[1]["doamc:kept_back"] == {"lost": 1} and sum(notes[2]["doamc:kept_back"].values()) == 1
    assert tape.full and sum(tape.kept_back.values()) == 2


def frame(channels=3, frequency_hz=433.9e6, **options):
    samples = np.ones((channels, 10), np.complex64)
    return Frame(samples, 1.7e9, frequency_hz, 1e4, (0.0,) * channels, 4, **options)


def test_other_channels_and_frequencies_than_wanted_are_left_out_and_told(tmp_path):
    with StreamRecorder(tmp_path / "a.sigmf-meta") as recorder:
        tape = Tape(recorder, frequency_hz=868.3e6)
        for each in (
            frame(kept_back={"settling": 3}), frame(frequency_hz=868.3e6 + 32), frame(4, 868.3e6),
            frame(frequency_hz=868.3e6),
        ):  # fmt: skip
            tape.keep(each)
    notes = Recording(tmp_path / "a.sigmf-meta").metadata["annotations"]
    assert [(a["core:sample_start"], a["doamc:kept_back"]) for a in notes] == [
        (0, {"settling": 3, "other_frequency": 1}), (10, {"other_channels": 1}),
    ]  # fmt: skip
    assert tape.kept_back == {"settling": 3, "other_frequency": 1, "other_channels": 1} and not tape.full


def test_without_samples_for_too_long_it_ends_and_says_why(tmp_path):
    with StreamRecorder(tmp_path / "a.sigmf-meta") as recorder, client_of(1) as client:
        with pytest.raises(ReceiverError, match=r"found none for 0.3 s \(absent: .*refused"):
            record(client, Tape(recorder), 0.3)
    assert list(tmp_path.iterdir()) == []

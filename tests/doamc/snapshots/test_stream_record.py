"""A stream kept as a recording: captures at its gaps, and what a killed recorder wrote."""

import subprocess
import sys

import numpy as np
import pytest

import doamc.snapshots.stream_record as record_module
from doamc.errors import RecordingError
from doamc.snapshots.journal import parts_of, recover
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.stream_record import StreamRecorder
from doamc.spec import load_spec


def block(k, n=3, length=50):
    rng = np.random.default_rng(k)
    return (rng.standard_normal((n, length)) + 1j * rng.standard_normal((n, length))).astype(np.complex64)


def test_a_capture_begins_at_every_gap_and_at_another_frequency(tmp_path):
    path = tmp_path / "a.sigmf-meta"
    begin = 1767323045.0
    with StreamRecorder(path, "ula4", "of a test") as record:
        record.write(block(0), 1e4, 433.9e6, begin, gap=True)
        record.write(block(1, length=70), 1e4, 433.9e6, begin + 0.005, gap=False)
        record.write(block(2), 1e4, 433.9e6, begin + 1.5, gap=True)
        record.annotate([{"core:sample_start": 120, "doamc:kept_back": {"settling": 7}}])
        record.write(block(3), 1e4, 868.3e6, begin + 1.505, gap=False)
        record.tell("counters", {"passed": 4})
        assert not path.exists() and (record.samples, record.captures, record.form) == (220, 3, (3, 1e4))
    recording = Recording(path)  # valid SigMF
    assert np.array_equal(recording.read(0, 220), np.hstack([block(0), block(1, length=70), block(2), block(3)]))
    told = [(s.start, s.frequency_hz, s.begins_s) for s in recording.segments]
    assert told == [(0, 433.9e6, 0.0), (120, 433.9e6, 1.5), (170, 868.3e6, pytest.approx(1.505))]
    assert recording.array == "ula4" and recording.truth["counters"] == {"passed": 4}
    assert recording.metadata["annotations"][0]["doamc:kept_back"] == {"settling": 7}
    assert recording.capacity(50) == 4  # blocks that cross no border
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.sigmf-data", "a.sigmf-meta"]


def test_the_antennas_of_an_array_are_told_once(tmp_path):
    spec = load_spec("krakensdr")
    with StreamRecorder(tmp_path / "a.sigmf-meta", spec.name, spec=spec) as record:
        for k, frequency_hz in enumerate((300e6, 300e6, 301e6)):
            record.write(block(k, n=5), 1e4, frequency_hz, 1.7e9 + k, gap=True)
    recording = Recording(tmp_path / "a.sigmf-meta")
    assert len(recording.segments) == 3 and recording.positions_m.shape == (5, 3)
    assert sum("spatial:element_geometry" in c for c in recording.metadata["captures"]) == 1
    assert recording.positions_m[1][1] < 0  # antenna 1 is clockwise of antenna 0


def test_another_form_is_refused_and_without_samples_nothing_is_left(tmp_path, monkeypatch):
    StreamRecorder(tmp_path / "a.sigmf-meta").close()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(record_module, "MAX_CAPTURES", 2)
    with StreamRecorder(tmp_path / "b.sigmf-meta") as record:
        record.write(block(0), 1e4, 1e6, 0.0, gap=False)
        for samples, rate in ((block(1, n=4), 1e4), (block(1), 2e4)):
            with pytest.raises(RecordingError, match="expected 3 channels at 10000 Hz, found"):
                record.write(samples, rate, 1e6, 0.0, gap=False)
        record.write(block(1), 1e4, 1e6, 0.0, gap=True)
        with pytest.raises(RecordingError, match="at most 2 gaps"):
            record.write(block(1), 1e4, 1e6, 0.0, gap=True)
    assert Recording(tmp_path / "b.sigmf-meta").n_samples == 100


KILLED = """
import sys
from doamc.snapshots.stream_record import StreamRecorder
from tests.doamc.snapshots.test_stream_record import block
record = StreamRecorder(sys.argv[1])
k = 0
while True:
    record.write(block(k, length=20 + k % 7), 1e4, 433.9e6, 1.7e9 + k, gap=k % 3 == 0)
    k += 1
    k == 20 and print(k, flush=True)
"""


def test_what_a_killed_recorder_wrote_is_recovered_to_the_last_whole_write(tmp_path, child):
    path = tmp_path / "a.sigmf-meta"
    recorder = child([sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE)
    assert recorder.stdout.readline() == b"20\n"
    recorder.kill()
    recorder.wait(60)
    recording = Recording(recover(path))
    blocks, total = [], 0
    while total < recording.n_samples:
        blocks.append(block(len(blocks), length=20 + len(blocks) % 7))
        total += blocks[-1].shape[1]
    assert total == recording.n_samples and len(blocks) >= 20
    assert np.array_equal(recording.read(0, total), np.hstack(blocks))
    assert len(recording.segments) == (len(blocks) + 2) // 3
    assert not any(part.exists() for part in parts_of(path))

"""Files that tell the truth of a run, and those that tell none."""

import json
from pathlib import Path

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.estimates import Recorder
from doamc.estimates.truth_files import read_truth
from doamc.snapshots.sigmf_files import MAX_TRUTH
from doamc.snapshots.sigmf_write import write_recording

RECORDING = Path(__file__).resolve().parents[3] / "flowgraphs" / "recordings" / "kraken5_mixed_2.truth.json"


def test_the_truth_beside_a_recording():
    truth = read_truth(RECORDING)
    assert truth.azimuth_deg(7.0).tolist() == [48.2, 231.5] and truth.power_db.tolist() == [0.0, -2.0]
    assert truth.coupling.shape == (5, 5)


def test_a_table_and_truth_messages_say_the_same(tmp_path):
    table, log = tmp_path / "t.csv", tmp_path / "t.jsonl"
    table.write_text("sample_time, azimuth_deg_a, azimuth_deg_b\n0, 10, -5\n2, 14, -5\n")
    with Recorder(log) as recorder:
        recorder.write({"schema": "doamc.status/1"})
        for time_s, azimuth in ((0.0, [10.0, -5.0]), (2.0, [14.0, -5.0])):
            recorder.write({"schema": "doamc.truth/1", "sample_time": time_s, "azimuth_deg": azimuth})
    for path in (table, log):
        assert read_truth(path).azimuth_deg(1.5) == pytest.approx([13.0, -5.0])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.txt", ""), ("t.csv", ""), ("t.csv", "sample_time,azimuth_deg\n0,north\n"), ("t.csv", "azimuth_deg\n3\n"),
        ("t.json", "[]"), ("t.json", "{"), ("t.json", '{"azimuth_deg": [1e999]}'), ("t.jsonl", ""), ("t.json", None),
        ("t.json", '{"azimuth_deg": "12"}'), ("t.json", '{"azimuth_deg": [1' + "0" * 400 + "]}"),
        ("t.json", "[" * 100_000), ("t.json", json.dumps({"azimuth_deg": [1] * 65})),
        ("t.csv", "sample_time," + ",".join(f"azimuth_deg_{k}" for k in range(65)) + "\n" + ",".join(["1"] * 66)),
        ("t.csv", "sample_time,azimuth_deg\n,1\n"), ("t.json", '{"azimuth_deg": [1], "elevation_deg": [91]}'),
        ("t.json", '{"azimuth_deg": [1], "elevation_deg": [1, 2]}'), ("t.csv", "sample_time,elevation_deg\n0,1\n"),
        ("t.sigmf-meta", None), ("t.sigmf-meta", "{}"),
        ("t.json", '{"azimuth_deg": [1]}' + " " * MAX_TRUTH), ("t.csv", "sample_time,azimuth_deg\n0," + "1" * 200_000),
        ("t.jsonl", '{"schema": "doamc.truth/1", "azimuth_deg": [[1]]}\n'),
        ("t.jsonl", '{"schema": "doamc.truth/1", "azimuth_deg": [1], "sample_time": "x"}\n'),
    ],
)  # fmt: skip
def test_files_that_tell_no_truth_are_refused(tmp_path, name, text):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(RecordingError, match=name):
        read_truth(tmp_path / name)


def test_a_coupling_in_a_truth_file_is_complex(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"azimuth_deg": [1], "coupling_re": [[1, 0.5]], "coupling_im": [[0, -0.25]]}))
    assert read_truth(path).coupling.tolist() == [[1, 0.5 - 0.25j]]


def test_elevations_from_a_table_messages_and_a_recording_that_was_simulated(tmp_path):
    table, log, capture = (tmp_path / name for name in ("t.csv", "t.jsonl", "t.sigmf-meta"))
    table.write_text("sample_time, azimuth_deg_a, azimuth_deg_b, elevation_deg_a, elevation_deg_b\n0,10,-5,40,7\n")
    with Recorder(log) as recorder:
        about = {"azimuth_deg": [10.0, -5.0], "elevation_deg": [40.0, 7.0]}
        recorder.write({"schema": "doamc.truth/1", "sample_time": 0.0} | about)
    write_recording(capture, np.ones((3, 50), complex), sample_rate_hz=1e3, frequency_hz=1e8, **about)
    for path in (table, log, capture):
        truth = read_truth(path)
        assert truth.azimuth_deg(0.0).tolist() == [10.0, -5.0] and truth.elevation_deg(0.0).tolist() == [40.0, 7.0]
    assert read_truth(RECORDING).elevation_deg(0.0) is None
    bearings = [a["spatial:signal_bearing"] for a in json.loads(capture.read_text())["annotations"]]
    assert bearings == [{"azimuth": 350.0, "elevation": 40.0}, {"azimuth": 5.0, "elevation": 7.0}]

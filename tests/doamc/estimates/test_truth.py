"""Truth over time, its assignment to estimates, and the files that it is read from."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from doamc.errors import RecordingError
from doamc.estimates import Recorder
from doamc.estimates.truth import Truth, coupling_error_db, match, wrap_deg
from doamc.estimates.truth_files import read_truth
from doamc.snapshots.sigmf_files import MAX_TRUTH

RECORDING = Path(__file__).resolve().parents[3] / "flowgraphs" / "recordings" / "kraken5_mixed_2.truth.json"


def test_truth_is_interpolated_through_the_turn():
    truth = Truth()
    for time_s, azimuth in ((0.0, 170.0), (1.0, 178.0), (2.0, -174.0)):  # 8 degrees a second
        truth.add({"sample_time": time_s, "azimuth_deg": [azimuth], "power_db": [0.0]})
    times = np.array([0.5, 1.5, 2.5, 9.0])  # on for one second after the newest, then it stands
    expected = np.array([174.0, 182.0, 190.0, 194.0])
    np.testing.assert_allclose(wrap_deg(truth.azimuth_deg(times)[:, 0] - expected), 0, atol=1e-9)


def test_late_or_empty_truths_change_nothing():
    truth = Truth()
    truth.add({"sample_time": 1.0, "azimuth_deg": [5.0]})
    truth.add({"sample_time": 0.5, "azimuth_deg": [50.0]})
    truth.add({"sample_time": 2.0, "azimuth_deg": []})
    assert truth.known and truth.azimuth_deg(0.7) == pytest.approx([5.0])
    assert not Truth().known


def test_match_is_the_best_assignment_on_the_circle():
    assert match(np.array([2.0, 358.0]), np.array([357.0, 1.0])) == [1, 0]
    assert match(np.array([10.0]), np.array([200.0, 12.0])) == [1]
    assert match(np.array([-40.0, 11.0, 12.0]), np.array([12.5, -41.0])) == [1, None, 0]


def test_coupling_error_ignores_a_common_factor_and_is_minus_infinity_for_none():
    truth = np.array([[1, 0.3j], [0.3j, 1]])
    # |I - C|^2 / |C|^2 = 2 * 0.09 / (2 + 2 * 0.09)
    assert coupling_error_db(np.eye(2, dtype=complex), truth) == pytest.approx(10 * np.log10(0.18 / 2.18))
    assert coupling_error_db((2 - 1j) * truth, truth) < -250
    assert math.isnan(coupling_error_db(None, truth)) and math.isnan(coupling_error_db(np.eye(3), truth))


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
        ("t.csv", "sample_time,azimuth_deg\n,1\n"),
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

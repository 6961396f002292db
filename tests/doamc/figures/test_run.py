"""A log beside its truth: what figures draw."""

import numpy as np
import pytest

from doamc.errors import PublishError, RecordingError
from doamc.estimates import Recorder
from doamc.figures.run import STRAY, read_run
from tests.doamc.figures.runs import ERRORS, estimate, truth_at, truth_message, write_log
from tests.doamc.figures.skies import ERRORS as SKY_ERRORS
from tests.doamc.figures.skies import write_sky_log


def test_points_go_with_their_emitters_through_the_seam(tmp_path):
    run = read_run(write_log(tmp_path / "x.jsonl"))
    np.testing.assert_array_equal(run.time_s, np.arange(10.0))  # put in order
    assert run.points.numbers == [0, 1] and run.lost == 3
    for number in (0, 1):
        p = run.points.of(number)
        np.testing.assert_allclose(p.error_deg, ERRORS[:, number], atol=1e-9)
        true = np.array([truth_at(t)[number] for t in range(10)])
        np.testing.assert_allclose(p.azimuth_deg, true + ERRORS[:, number], atol=1e-9)  # unwrapped, no jump
        np.testing.assert_allclose(p.std_deg, [0.11, 0.1][number])
    np.testing.assert_allclose(run.true_azimuth_deg(), [truth_at(t) for t in range(10)], atol=1e-9)
    times, matrices = run.couplings()
    assert times.tolist() == list(range(10)) and matrices.shape == (10, 3, 3)
    assert (run.coupling_errors_db() < -250).all()  # a common factor does not matter


def test_without_truth_tracks_are_followed(tmp_path):
    run = read_run(write_log(tmp_path / "x.jsonl", truth=False))
    assert run.points.numbers == [0, 1] and np.isnan(run.points.error_deg).all()
    moving = run.points.of(int(run.points.number[run.points.azimuth_deg > 300][0]))
    assert len(moving.time_s) == 10 and moving.azimuth_deg.max() > 355 and moving.azimuth_deg.min() < 20


def test_estimates_beyond_the_truth_are_strays(tmp_path):
    path = write_log(tmp_path / "x.jsonl")
    with Recorder(path) as recorder:
        recorder.write(estimate(9, seq=20, sample_time=10.0, azimuth_deg=[15.0, 100.0, 200.0], std_deg=None))
    run = read_run(path)
    stray = run.points.of(STRAY)
    assert stray.azimuth_deg.tolist() == [200.0] and np.isnan(stray.error_deg).all()


def test_logs_without_estimates_are_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"schema": "doamc.status/1"}\n{"schema": "doa')
    with pytest.raises(RecordingError, match="expected estimates"):
        read_run(tmp_path / "x.jsonl")
    with pytest.raises(RecordingError, match="cannot read"):
        read_run(tmp_path / "y.jsonl")


def test_as_many_sources_and_truths_as_messages_may_have(tmp_path):
    """Nine of each have 362 880 orders; the right one is found at once, and so it is for 64."""
    for n in (9, 64):
        true = np.arange(n) * 360.0 / n
        azimuth = (true + 0.01) % 360.0
        changes = {"azimuth_deg": azimuth[::-1], "std_deg": None, "coupling": None}
        truth = truth_message(0.0) | {"azimuth_deg": true.tolist(), "power_db": [0.0] * n}
        path = tmp_path / f"{n}.jsonl"
        with Recorder(path) as recorder:
            for k in range(5):
                recorder.write(truth | {"sample_time": float(k)})
                recorder.write(estimate(k, **changes))
        run = read_run(path)
        assert len(run.points.error_deg) == 5 * n
        np.testing.assert_allclose(run.points.error_deg, 0.01, atol=1e-9)


@pytest.mark.parametrize(
    "message",
    [estimate(0) | {"sources": [estimate(0)["sources"][0]] * 10_000}, truth_message(0.0) | {"azimuth_deg": [[1.0]]},
     estimate(0) | {"coupling": {"re": [[0.0] * 200] * 200, "im": [[0.0] * 200] * 200}},
     truth_message(0.0) | {"azimuth_deg": "north"}],
)  # fmt: skip
def test_what_no_message_may_be_is_refused_in_a_line(tmp_path, message):
    path = write_log(tmp_path / "x.jsonl")
    with Recorder(path) as recorder:
        recorder.write(message)
    with pytest.raises(PublishError) as refused:
        read_run(path)
    assert len(str(refused.value)) < 500 and str(refused.value).isprintable()


def test_lines_beyond_the_bounds_are_passed_over(tmp_path):
    path = write_log(tmp_path / "x.jsonl")
    with open(path, "ab") as file:
        file.write(b'{"schema":"doamc.estimate/1","seq":' + b"9" * 4299 + b"}\n")
        file.write(b'{"schema":"doamc.estimate/1","x":"' + b"x" * (5 << 20) + b'"}\n')
    with Recorder(path) as recorder:
        recorder.write(estimate(9, seq=100))
    assert len(read_run(path).readings) == 11


def test_errors_on_the_sky(tmp_path):
    """Of small angles: the error of azimuth times the cosine of elevation, and that of elevation."""
    run = read_run(write_sky_log(tmp_path / "x.jsonl"))
    assert run.elevated and run.points.numbers == [0, 1]
    for number in (0, 1):
        p = run.points.of(number)
        np.testing.assert_allclose(p.error_deg, SKY_ERRORS[:, 0], atol=1e-9)
        np.testing.assert_allclose(p.elevation_error_deg, SKY_ERRORS[:, 1], atol=1e-9)
        middle = np.radians(p.elevation_deg - SKY_ERRORS[:, 1] / 2)
        np.testing.assert_allclose(
            p.distance_deg, np.hypot(SKY_ERRORS[:, 0] * np.cos(middle), SKY_ERRORS[:, 1]), rtol=1e-3
        )
    np.testing.assert_allclose(run.true_elevation_deg()[:, 0], 30.0 + 4.0 * np.arange(10))
    flat = read_run(write_log(tmp_path / "y.jsonl"))
    assert not flat.elevated and flat.true_elevation_deg() is None and np.isnan(flat.points.distance_deg).all()

"""The log beside a checkpoint: what the loop saw, once, through interruptions."""

import json
import math

import pytest

from doamc.errors import RecordingError
from doamc.learning.training import Schedule, train
from doamc.learning.training_log import SCHEMA, TrainingLog, log_of, read_training
from tests.doamc.learning.test_training import Line


def test_it_holds_losses_rates_and_figures(tmp_path):
    path = tmp_path / "a.safetensors"
    schedule = Schedule(steps=300, rate=0.02, warm_up=10, decay=0.99, log_seconds=0.0)
    record = train(Line(), path, schedule, progress=False)
    lines = read_training(log_of(path))
    assert log_of(path).name == "a.log.jsonl"
    assert [line["step"] for line in lines] == [*range(10, 301, 10)]  # every tenth step
    last = lines[-1]
    assert (last["kind"], last["array"]) == ("line", "ula4")
    assert last["slope"] == record["slope"] and last["loss"] == pytest.approx(record["loss"], abs=1e-5)
    for line in lines[:-1]:  # rates at the step that has just been made
        fraction = schedule.fraction(line["step"] - 1, 0.0)
        assert line["rate"] == pytest.approx(schedule.rate_at(line["step"], fraction)) and "slope" not in line
    assert lines[0]["loss"] > 3 * lines[-2]["loss"]  # it learnt


def test_a_resumed_training_goes_on_with_its_log(tmp_path):
    path = tmp_path / "a.safetensors"
    schedule = Schedule(steps=100, rate=0.02, warm_up=10, save_seconds=0.0, log_seconds=math.inf)
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=50), path, schedule, progress=False)
    train(Line(), path, schedule, resume=True, progress=False)
    steps = [line["step"] for line in read_training(log_of(path))]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 100
    train(Line(), path, Schedule(steps=10), progress=False)  # not resumed: another training
    assert [line["step"] for line in read_training(log_of(path))] == [10]


def test_steps_made_twice_are_told_once(tmp_path):
    for k, (step, loss) in enumerate([(10, math.nan), (20, 2.0), (30, 3.0), (20, 2.5)]):
        with TrainingLog(tmp_path / "x.jsonl", "net", "ula8", resume=k > 0) as log:
            log.write(step, 0.1, loss, 1e-3, {})
    lines = read_training(tmp_path / "x.jsonl")
    assert [(m["step"], m["loss"]) for m in lines[1:]] == [(20, 2.5)] and math.isnan(lines[0]["loss"])


def test_other_logs_are_refused(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"schema": "doamc.status/1"}\n')
    with pytest.raises(RecordingError, match="expected a log of doamc train"):
        read_training(tmp_path / "x.jsonl")


NOT_A_LINE = [
    {"step": 10**400}, {"step": True}, {"step": 1.5}, {"minutes": None}, {"minutes": "x"}, {"loss": [1.0]},
    {"loss": "x"}, {"rate": {}}, {"rate": 1e300}, {"validation": float("nan")}, {"kind": "x" * 5000}, {"kind": None},
    {"x" * 65: 1.0}, {f"figure{k}": 1.0 for k in range(20)},
]  # fmt: skip


@pytest.mark.parametrize("change", NOT_A_LINE, ids=lambda c: str(c)[:24])
def test_what_cannot_be_drawn_is_no_line(tmp_path, change):
    good = {"schema": SCHEMA, "kind": "batch", "array": "ula8", "step": 10, "minutes": 0.1, "loss": None, "rate": 1e-3}
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(m) + "\n" for m in (good, good | {"step": 20} | change)), encoding="utf-8")
    (line,) = read_training(path)
    assert line["step"] == 10 and math.isnan(line["loss"])

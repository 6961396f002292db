"""The training loop: budgets, averages, resume and the record that it leaves."""

import math

import pytest
import torch

from doamc.errors import CheckpointError
from doamc.learning.checkpoint import load_checkpoint
from doamc.learning.ema import MovingAverage
from doamc.learning.training import Schedule, train, twin_of
from doamc.spec import load_spec


class Line:
    """Fit y = 3 x - 1 by gradient descent."""

    kind, config = "line", {"size": 1}

    def __init__(self, stop_at: int | None = None):
        torch.manual_seed(0)
        self.spec, self.net, self.stop_at = load_spec("ula4"), torch.nn.Linear(1, 1), stop_at

    def loss(self, step):
        if step == self.stop_at:
            raise KeyboardInterrupt
        x = torch.linspace(-1, 1, 32, dtype=torch.float32)[:, None] + 0.01 * (step % 7)
        return (self.net(x) - (3 * x - 1)).square().mean()

    def validate(self):
        return {"slope": float(self.net.weight.detach())}


def test_it_trains_and_ships_the_average(tmp_path):
    path = tmp_path / "a.safetensors"
    record = train(Line(), path, Schedule(steps=1500, rate=0.02, warm_up=10, decay=0.99), progress=False)
    assert record["steps"] == 1500 and record["slope"] == pytest.approx(3.0, abs=0.02)
    kept = load_checkpoint(path, "line", "ula4")
    assert float(kept.tensors["weight"]) == pytest.approx(record["slope"], rel=1e-3)
    assert record["memory_mib"] > 50 and record["steps_per_second"] > 1
    assert not twin_of(path).exists()


def test_an_interrupted_training_resumes_where_it_was(tmp_path):
    """Interrupted and resumed it ends with the same weights, to round-off, as in one go."""
    schedule = Schedule(steps=400, rate=0.02, warm_up=10, decay=0.99, save_seconds=0.0)
    train(Line(), tmp_path / "whole.safetensors", schedule, progress=False)
    path = tmp_path / "part.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(Line(stop_at=150), path, schedule, progress=False)
    assert load_checkpoint(path, "line").record["steps"] == 150 and twin_of(path).exists()
    train(Line(), path, schedule, resume=True, progress=False)
    whole, part = (load_checkpoint(p, "line").tensors for p in (tmp_path / "whole.safetensors", path))
    assert torch.allclose(whole["weight"], part["weight"], atol=1e-5)
    with pytest.raises(CheckpointError, match=r"no weights at part\.resume\.safetensors"):
        train(Line(), path, schedule, resume=True, progress=False)


def test_the_rate_warms_up_and_falls_over_the_budget():
    schedule = Schedule(minutes=10, steps=1000, rate=1.0, warm_up=10)
    assert schedule.fraction(500, 1.0) == 0.5 and schedule.fraction(10, 9.0) == 0.9
    assert schedule.rate_at(0, 0.0) == pytest.approx(0.1)
    assert schedule.rate_at(100, 0.0) == pytest.approx(1.0) and schedule.rate_at(100, 1.0) == pytest.approx(0.01)


def test_the_moving_average_follows_its_formula():
    net = torch.nn.Linear(1, 1)
    average = MovingAverage(net, 0.9)
    expected = float(net.weight.detach())
    for n in range(30):
        with torch.no_grad():
            net.weight.fill_(math.sin(n))
        average.update(net)
        d = min(0.9, (1 + n) / (10 + n))
        expected = d * expected + (1 - d) * math.sin(n)
    assert float(average.state["weight"]) == pytest.approx(expected, abs=1e-6)

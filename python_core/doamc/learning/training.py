"""The training loop of every network: cosine rate over a budget, EMA weights, progress bar, checkpoints, resume.

A task says what is trained and what its loss is; the loop does the rest. Beside the checkpoint (averaged weights) lies
its ``.resume`` twin with the raw weights and the optimiser's state until training is finished, and its log.
"""

import math
import resource
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from doamc.errors import CheckpointError
from doamc.learning.checkpoint import RESUME, Checkpoint, compact, load_checkpoint, save_checkpoint
from doamc.learning.ema import MovingAverage
from doamc.learning.parallel import Team
from doamc.learning.training_log import TrainingLog, log_of
from doamc.spec import ArraySpec


class Task(Protocol):
    """What is trained: kind and config go into the checkpoint, net holds the weights."""

    kind: str
    spec: ArraySpec | None
    config: dict[str, Any]
    net: Any

    def __init__(self, spec: Any, seed: int, device: str) -> None: ...

    def loss(self, step: int) -> torch.Tensor:
        """Scalar loss of one step; the same step gives the same loss for the same weights."""

    def validate(self) -> dict[str, float]:
        """Metrics of the weights now in net, on data that training never sees."""


@dataclass(frozen=True)
class Schedule:
    """Budget and rates. minutes and steps: whichever comes first ends training; at least one is needed."""

    minutes: float | None = None
    steps: int | None = None
    rate: float = 1e-3
    warm_up: int = 200
    decay: float = 0.999
    save_seconds: float = 60.0
    log_seconds: float = 5.0

    def fraction(self, step: int, minutes: float) -> float:
        """Share of the budget that is used, 0 to 1."""
        by_time = minutes / self.minutes if self.minutes else 0.0
        by_step = step / self.steps if self.steps else 0.0
        return min(1.0, max(by_time, by_step))

    def rate_at(self, step: int, fraction: float) -> float:
        """Learning rate: linear warm-up, then half a cosine down to a hundredth."""
        return self.rate * min(1.0, (step + 1) / self.warm_up) * (0.01 + 0.495 * (1 + math.cos(math.pi * fraction)))


def twin_of(path: Path) -> Path:
    """Where the state of an unfinished training lies."""
    return path.with_suffix(".resume.safetensors")


def train(
    task: Task, path: Path, schedule: Schedule, resume: bool = False, progress: bool = True, team: Team | None = None
) -> dict[str, Any]:
    """Train a task and write its checkpoint; returns the record stored in it (steps, minutes, losses, memory).

    team: the processes that train together, by default this one alone; the record is that of the process that leads.
    """
    from tqdm import tqdm

    team = team or Team()
    optimiser = torch.optim.AdamW(task.net.parameters(), lr=schedule.rate)
    average = MovingAverage(task.net, schedule.decay)
    step, used = (_restore(task, path, optimiser, average)) if resume else (0, 0.0)
    team.share_weights(task.net)
    log = TrainingLog(log_of(path), task.kind, task.spec.name if task.spec else "none", resume) if team.leads else None
    begun = saved = logged = time.monotonic()
    record: dict[str, Any] = {}
    running = math.nan
    form = "{l_bar}{bar}| {elapsed} {postfix}"
    shows = progress and team.leads
    with log or nullcontext(), tqdm(total=100, disable=not shows, bar_format=form, mininterval=2) as bar:
        while True:
            minutes = used + (time.monotonic() - begun) / 60
            fraction = team.agree(schedule.fraction(step, minutes))
            if team.leads and (fraction >= 1 or time.monotonic() - saved > schedule.save_seconds):
                record = _save(task, path, optimiser, average, step, minutes, running)
                saved = logged = time.monotonic()
                shown = {k: v for k, v in record.items() if isinstance(v, float) and k != "minutes"}
                if log is not None:
                    metrics = {k: v for k, v in shown.items() if k not in ("loss", "steps_per_second")}
                    log.write(step, minutes, running, schedule.rate_at(step, fraction), metrics)
                bar.set_postfix_str(f"step {step}, " + ", ".join(f"{k} {v:.3g}" for k, v in shown.items()))
            bar.update(round(100 * fraction) - bar.n)
            if fraction >= 1:
                if team.leads:
                    twin_of(path).unlink(missing_ok=True)
                return record
            for group in optimiser.param_groups:
                group["lr"] = schedule.rate_at(step, fraction)
            loss = task.loss(team.draw(step))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            team.average_gradients(task.net)
            torch.nn.utils.clip_grad_norm_(task.net.parameters(), 1.0)
            optimiser.step()
            average.update(task.net)
            step += 1
            if step % 10 == 0:
                value = float(loss.detach())
                running = value if math.isnan(running) else 0.95 * running + 0.05 * value
                if log is not None and time.monotonic() - logged > schedule.log_seconds:
                    log.write(step, minutes, running, schedule.rate_at(step, fraction), {})
                    logged = time.monotonic()


def _save(
    task: Task,
    path: Path,
    optimiser: torch.optim.Optimizer,
    average: MovingAverage,
    step: int,
    minutes: float,
    running: float,
) -> dict[str, Any]:
    raw = {k: v.detach().clone() for k, v in task.net.state_dict().items()}
    task.net.load_state_dict(average.state)
    metrics = task.validate()
    record: dict[str, Any] = {"steps": step, "minutes": round(minutes, 2), "loss": round(running, 5), **metrics}
    record["memory_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    record["steps_per_second"] = round(step / max(60 * minutes, 1e-9), 2)
    save_checkpoint(path, Checkpoint(task.kind, task.spec, task.config, record, compact(average.state)))
    task.net.load_state_dict(raw)
    state = {f"net.{k}": v for k, v in raw.items()} | {f"average.{k}": v for k, v in average.state.items()}
    for i, parameter in enumerate(task.net.parameters()):
        if parameter in optimiser.state:
            moments = optimiser.state[parameter]
            state |= {f"first.{i}": moments["exp_avg"], f"second.{i}": moments["exp_avg_sq"]}
    save_checkpoint(twin_of(path), Checkpoint(task.kind + RESUME, task.spec, task.config, record, state))
    return record


def _restore(task: Task, path: Path, optimiser: torch.optim.Optimizer, average: MovingAverage) -> tuple[int, float]:
    kept = load_checkpoint(twin_of(path), task.kind + RESUME, task.spec)
    try:
        task.net.load_state_dict(_part(kept.tensors, "net."))
        step, minutes = int(kept.record["steps"]), float(kept.record["minutes"])
    except (RuntimeError, KeyError, TypeError, ValueError, OverflowError) as error:
        name = twin_of(path).name
        raise CheckpointError(f"{name} does not fit this network ({error}); train without --resume") from error
    device = next(task.net.parameters()).device
    average.state = {k: v.to(device) for k, v in _part(kept.tensors, "average.").items()}
    average.updates = step
    for i, parameter in enumerate(task.net.parameters()):
        if f"first.{i}" in kept.tensors:
            optimiser.state[parameter] = {
                "step": torch.tensor(float(step), dtype=torch.float32),
                "exp_avg": kept.tensors[f"first.{i}"].to(device),
                "exp_avg_sq": kept.tensors[f"second.{i}"].to(device),
            }
    return step, minutes


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}

"""Comparisons of methods as tasks, one a method and SNR, wherever there are workers."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from doamc.cluster import Executor
from doamc.estimators.engine import open_estimator
from doamc.spec import load_spec
from doamc.trials.monte_carlo import compare

#: a row of a comparison
Row = dict[str, Any]


def compare_on(
    executor: Executor, array: str, methods: Sequence[str], snr_db: Sequence[float], n_sources: int, n_snapshots: int,
    trials: int, waveform: str = "gaussian", seed: int = 0, device: str = "cpu", known: Mapping[int, Row] | None = None,
    keep: Callable[[int, Row], object] = lambda place, row: None,
) -> tuple[list[Row], list[str]]:  # fmt: skip
    """The rows of `compare`, in its order, but for the time: each is a task of its own, which draws the scenes again.

    array: name or path, which must mean the same for all workers. known: rows that are there already, by their place;
    keep: given each of the others as it comes, and its place. Also why tasks failed, a line each; their rows are left
    out.
    """
    setting = {
        "array": array, "sources": n_sources, "snapshots": n_snapshots, "trials": trials, "waveform": waveform,
        "seed": seed, "device": device,
    }  # fmt: skip
    places = [(level, method) for level in snr_db for method in methods]
    rows, failed = dict(known or {}), []
    tasks = [
        setting | {"place": k, "snr_db": level, "method": method}
        for k, (level, method) in enumerate(places)
        if k not in rows
    ]
    for outcome in executor.run(f"{__name__}:compare_one", tasks):
        task = outcome.task
        if outcome.failure is not None:
            failed.append(f"{task['method']} at {task['snr_db']:g} dB: {outcome.failure}")
            continue
        rows[task["place"]] = outcome.result
        keep(task["place"], outcome.result)
    return [rows[k] for k in sorted(rows)], sorted(failed)


def compare_one(task: dict[str, Any]) -> Row:
    """One row, where a worker makes it."""
    torch.set_num_threads(1)
    spec = load_spec(task["array"])
    estimator = open_estimator(task["method"], spec, task["sources"], task["device"], task["seed"])
    clock = time.process_time if task["device"] == "cpu" else time.perf_counter
    return compare(
        spec, [estimator], [task["snr_db"]], task["sources"], task["snapshots"], task["trials"], task["waveform"],
        task["seed"], clock,
    )[0]  # fmt: skip

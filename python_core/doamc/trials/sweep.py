"""Comparisons of methods as tasks, one a method and SNR, wherever there are workers."""

import time
from collections.abc import Sequence
from typing import Any

import torch

from doamc.cluster import Executor
from doamc.errors import ClusterError
from doamc.estimators.engine import open_estimator
from doamc.spec import load_spec
from doamc.trials.monte_carlo import compare


def compare_on(
    executor: Executor, array: str, methods: Sequence[str], snr_db: Sequence[float], n_sources: int, n_snapshots: int,
    trials: int, waveform: str = "gaussian", seed: int = 0, device: str = "cpu",
) -> list[dict[str, Any]]:  # fmt: skip
    """The rows of `compare`, in its order, but for the time: each is a task of its own, which draws the scenes again.

    array: name or path, which must mean the same for all workers. Raises ClusterError where a task failed three times.
    """
    setting = {
        "array": array, "sources": n_sources, "snapshots": n_snapshots, "trials": trials, "waveform": waveform,
        "seed": seed, "device": device,
    }  # fmt: skip
    places = [(level, method) for level in snr_db for method in methods]
    tasks = [setting | {"place": k, "snr_db": level, "method": method} for k, (level, method) in enumerate(places)]
    rows = dict[int, dict[str, Any]]()
    for outcome in executor.run(f"{__name__}:compare_one", tasks):
        if outcome.failure is not None:
            what = f"{outcome.task['method']} at {outcome.task['snr_db']:g} dB"
            raise ClusterError(f"{what} failed three times: {outcome.failure}")
        rows[outcome.task["place"]] = outcome.result
    return [rows[k] for k in range(len(places))]


def compare_one(task: dict[str, Any]) -> dict[str, Any]:
    """One row, where a worker makes it."""
    torch.set_num_threads(1)
    spec = load_spec(task["array"])
    estimator = open_estimator(task["method"], spec, task["sources"], task["device"], task["seed"])
    clock = time.process_time if task["device"] == "cpu" else time.perf_counter
    return compare(
        spec, [estimator], [task["snr_db"]], task["sources"], task["snapshots"], task["trials"], task["waveform"],
        task["seed"], clock,
    )[0]  # fmt: skip

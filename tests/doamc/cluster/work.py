"""Tasks for tests: what workers import."""

import os
import time
from pathlib import Path
from typing import Any


def double(task: int) -> int:
    return 2 * task


def fail(task: str) -> None:
    """Notes every try in a file of this name, and fails."""
    with Path(task).open("a") as file:
        file.write("x")
    raise ValueError("no good")


def die(task: str) -> None:
    """Takes its worker with it."""
    os._exit(1)


def sleep(task: float) -> float:
    time.sleep(task)
    return task


def environment(task: str) -> dict[str, Any]:
    """Threads of a worker, as libraries take them, and its process."""
    import torch

    return {"threads": torch.get_num_threads(), "omp": os.environ.get("OMP_NUM_THREADS"), "process": os.getpid()}


def kept(task: dict[str, Any]) -> dict[str, Any]:
    """Sleeps, notes that it ran, and returns its number."""
    time.sleep(task["seconds"])
    return {"number": task["number"], "process": os.getpid()}


def hog(task: int) -> int:
    """Takes so many MiB, and keeps them for a while."""
    held = [bytearray(os.urandom(1 << 20)) for _ in range(task)]
    time.sleep(60)
    return len(held)


def device(task: int) -> list[str]:
    """The worker, and the device that it takes where torch counts so many."""
    from unittest import mock

    import torch
    from distributed import get_worker

    from doamc.cluster.devices import own_device

    time.sleep(0.05)  # so that every worker has some
    with mock.patch.object(torch.cuda, "device_count", return_value=task):
        return [str(get_worker().name), own_device("cuda")]

"""The device of a worker: where there are several GPUs, each worker has one."""

import re
import sys


def own_device(device: str) -> str:
    """The device that this process takes where ``cuda`` is asked: that of the worker's number, else as it is asked.

    A worker's number is the last in its name, as Dask numbers those of one command.
    """
    if device != "cuda" or "distributed" not in sys.modules:  # not a worker, and none is worth the import
        return device
    import torch
    from distributed import get_worker

    count = torch.cuda.device_count()
    if count < 2:
        return device
    try:
        name = str(get_worker().name)
    except ValueError:  # called from no task
        return device
    return f"cuda:{numbered(name) % count}"


def numbered(name: str) -> int:
    """The last number in a worker's name, 0 where there is none."""
    numbers = re.findall(r"\d+", name)
    return int(numbers[-1]) if numbers else 0

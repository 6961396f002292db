"""Estimates that `speed.py` times, in a process of their own: one line of JSON in, one out, until the input ends.

    python speed_worker.py SNAPSHOTS.npz ARRAY METHOD THREADS

In: {"first": i, "count": n} estimates one observation at a time; {"together": n} a batch. Out: times in ms.
It takes from the library only what every version of it has, so that it runs in an older checkout.
"""

import json
import resource
import sys
import time

import numpy as np
import torch

from doamc.estimators import make_estimator
from doamc.snapshots import make_batch
from doamc.spec import load_spec

WARM_UP = 10


def main() -> None:
    """Answer until the input ends."""
    path, array, method, threads = sys.argv[1:5]
    torch.set_num_threads(int(threads))
    y = torch.from_numpy(np.load(path)["snapshots"])
    estimator = make_estimator(method, load_spec(array))
    for i in range(WARM_UP):
        estimator(make_batch(y[i : i + 1]), 2)
    for line in sys.stdin:
        wanted = json.loads(line)
        if "together" in wanted:
            parts = [y[torch.arange(wanted["together"]) % len(y)]]
        else:
            parts = [y[[i % len(y)]] for i in range(wanted["first"], wanted["first"] + wanted["count"])]
        wall, cpu = [], []
        for part in parts:
            start, used = time.perf_counter(), time.process_time()
            estimator(make_batch(part), 2)
            wall.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.process_time() - used))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"wall_ms": wall, "cpu_ms": cpu, "memory_mib": memory}), flush=True)


if __name__ == "__main__":
    main()

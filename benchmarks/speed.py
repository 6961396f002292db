"""Time of one estimate and of a batch, per method.

    .venv/bin/python benchmarks/speed.py [--methods ml ddim ...] [--threads 1]

One estimate: ula8, P = 2, L = 256, 5 dB, snapshots in, estimates out.
"""

import resource
import time

import numpy as np
import torch
from command import make_parser, write_result

from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SINGLE, BATCH = 200, 256


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--methods", nargs="+", default=["music", "rare", "ml", "map", "ddim", "posterior"])
    parser.add_argument("--threads", type=int, default=1, help="of torch (%(default)s)")
    args = parser.parse_args()
    single, together = (10, 16) if args.quick else (SINGLE, BATCH)
    torch.set_num_threads(args.threads)
    spec = load_spec("ula8")
    generator = torch.Generator().manual_seed(0)
    y = receive(draw_scene(spec, single, 2, 5.0, generator), 256, generator=generator).snapshots.to(torch.complex64)
    table: dict[str, dict[str, float]] = {}
    for method in args.methods:
        estimator = make_estimator(method, spec)
        for i in range(10):
            estimator(make_batch(y[i : i + 1]), 2)
        wall, cpu = [], []
        for i in range(single):
            start, used = time.perf_counter(), time.thread_time()
            estimator(make_batch(y[i : i + 1]), 2)
            wall.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.thread_time() - used))
        many = y[torch.arange(together) % single]
        start = time.perf_counter()
        estimator(make_batch(many), 2)
        table[method] = {
            "single_median_ms": round(float(np.median(wall)), 2),
            "single_p99_ms": round(float(np.quantile(wall, 0.99)), 2),
            "single_cpu_median_ms": round(float(np.median(cpu)), 2),
            "batched_per_second": round(together / (time.perf_counter() - start)),
            "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        print(f"{method:10s}", table[method], flush=True)
    case = "ula8, P = 2, L = 256, 5 dB"
    write_result(__file__, args, {"case": case, "threads": args.threads, "methods": table})


if __name__ == "__main__":
    main()

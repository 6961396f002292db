"""Time of one estimate and of a batch, per method. Usage: speed.py [--out FILE.json] [--methods ml ddim ...]

One estimate: ula8, P = 2, L = 256, 5 dB, snapshots in, estimates out. Two torch threads on purpose where asked.
"""

import argparse
import json
import resource
import time

import numpy as np
import torch
from machine import machine

from doamc.estimators import make_estimator
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

SINGLE, BATCH = 200, 256


def loop_over_network(estimator, batch, repeats: int = 60) -> float:
    """Time of the proposing sampler loop of `posterior` over that of its network calls alone, median of paired runs."""
    sampler = estimator.sampler(2)
    net, proposer = sampler.net, sampler.proposer
    flag = torch.ones(batch.size, dtype=torch.bool)
    count = torch.full((batch.size,), 2)
    length = torch.full((batch.size,), 256.0)
    x = sampler.features(batch.covariance, length, count, torch.ones(batch.size), ~flag)
    mask = sampler.layout.mask(count)
    ratios = []
    with torch.no_grad():
        for _ in range(repeats):
            begin = time.perf_counter()
            proposer(x, mask)
            loop = time.perf_counter() - begin
            begin = time.perf_counter()
            modulation = net.modulation(net.encode(x)[:, None], proposer.clocks)
            z = proposer.noise.expand(batch.size, -1, -1)
            for i in range(len(proposer.grid)):
                net.head(z, [m[:, i : i + 1] for m in modulation])
            ratios.append(loop / (time.perf_counter() - begin))
    return float(np.median(ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out")
    parser.add_argument("--methods", nargs="+", default=["music", "rare", "ml", "map", "ddim", "posterior"])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    spec = load_spec("ula8")
    generator = torch.Generator().manual_seed(0)
    y = receive(draw_scene(spec, SINGLE, 2, 5.0, generator), 256, generator=generator).snapshots.to(torch.complex64)
    table: dict[str, dict[str, float]] = {}
    for method in args.methods:
        estimator = make_estimator(method, spec)
        for i in range(10):
            estimator(make_batch(y[i : i + 1]), 2)
        wall, cpu = [], []
        for i in range(SINGLE):
            start, used = time.perf_counter(), time.thread_time()
            estimator(make_batch(y[i : i + 1]), 2)
            wall.append(1e3 * (time.perf_counter() - start))
            cpu.append(1e3 * (time.thread_time() - used))
        many = y[torch.arange(BATCH) % SINGLE]
        start = time.perf_counter()
        estimator(make_batch(many), 2)
        table[method] = {
            "single_median_ms": round(float(np.median(wall)), 2),
            "single_p99_ms": round(float(np.quantile(wall, 0.99)), 2),
            "single_cpu_median_ms": round(float(np.median(cpu)), 2),
            "batched_per_second": round(BATCH / (time.perf_counter() - start)),
            "memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
        if method == "posterior":
            for size in (1, 64):
                ratio = loop_over_network(estimator, make_batch(many[:size]))
                table[method][f"loop_over_network_batch_{size}"] = round(ratio, 3)
        print(f"{method:10s}", table[method], flush=True)
    if args.out:
        with open(args.out, "w") as file:
            json.dump(
                {"case": "ula8, P = 2, L = 256, 5 dB", "threads": args.threads, "machine": machine(), "methods": table},
                file,
                indent=1,
            )


if __name__ == "__main__":
    main()

"""How far an estimate is from its arithmetic: operations counted, over the rate of this machine, beside the time taken.

    .venv/bin/python benchmarks/operations.py [--cases ula8:posterior ...]

Real additions and multiplications are counted as the compiled loops make them, for every point at which an estimate
asks for the density or for the Fisher information; of a mode search at most so many, since points stop early. The rate
is that of a matrix product in double precision on one core, which the loops cannot reach. What an estimate does beside
these points (eigenvectors, starts, quantiles, and the calls themselves) is in the time and not in the count.
"""

import json
import time
from collections import Counter
from typing import Any

import numpy as np
import torch
from command import make_parser, write_result

from doamc.estimators import make_estimator
from doamc.likelihood.kernels import Kernels
from doamc.likelihood.model import Model
from doamc.scenes import draw_scene, receive
from doamc.snapshots import make_batch
from doamc.spec import load_spec

CASES = ["ula8:ml", "ula8:map", "ula8:posterior", "uca5:posterior", "kraken5:posterior", "dipole8:posterior"]
ESTIMATES = 50
CIS, EXP, LOG = 45, 30, 30  #: operations of the functions of elementary.h
COMPLEX = 8  #: of a complex multiplication and addition


def density_operations(m: Model) -> float:
    """Of the log density at one point."""
    n, wide, p = len(m.mean), m.mean.shape[1], m.n_sources
    terms = int((m.patterns != 0).sum())
    cells = int(((m.mean != 0) | (m.patterns != 0).any(0)).sum())
    steer = p * (EXP + CIS + (CIS + n * COMPLEX if m.even else n * (CIS + 5)) + 2 * (wide - n))
    entries = terms * (4 if m.n_real else COMPLEX) + (0 if m.n_real else len(m.patterns) * CIS)
    grams = n * n * p * COMPLEX + p * (p + 1) * n * COMPLEX
    return steer + entries + cells * p * COMPLEX + grams + p * (LOG + 4 * COMPLEX * p * p) + 2 * len(m.low)


def information_operations(m: Model) -> float:
    """Of gradient and Fisher information at one point, with the solution of a scoring step."""
    n, p, d = len(m.mean), m.n_sources, len(m.low)
    terms = int((m.patterns != 0).sum())
    slopes = density_operations(m) + terms * p * 4 + 2 * len(m.patterns) * n * p * COMPLEX
    each = n * p * p * 3 * COMPLEX + n * p * 10
    pairs = d * (d + 1) / 2 * (4 * p * p + 4 * n * p)
    return slopes + 6 * n * p * p * COMPLEX + d * each + pairs + d**3 / 3


def count_into(total: Counter[str]) -> None:
    """Have the loops count what they are asked for."""

    def counted(name: str, points: Any) -> None:
        plain = getattr(Kernels, name)

        def call(self: Kernels, model: Model, *rest: Any) -> Any:
            densities, informations = points(rest)
            total["operations"] += densities * density_operations(model)
            total["operations"] += informations * information_operations(model)
            total["densities"] += densities
            total["informations"] += informations
            return plain(self, model, *rest)

        setattr(Kernels, name, call)

    counted("log_posterior", lambda r: (r[1].shape[0] * r[1].shape[2], 0))
    counted("information", lambda r: (0, r[1].shape[0] * r[1].shape[2]))
    counted("descent", lambda r: (len(r[1]), len(r[1])))
    counted("search_modes", lambda r: (r[1].shape[0] * r[1].shape[2] * r[6], r[1].shape[0] * r[1].shape[2] * r[6]))
    counted("run_chains", lambda r: (len(r[1].normal) * r[2].start.shape[0] * r[2].start.shape[2], 0))


def rate_gflops() -> float:
    """Operations a ns of a product of matrices in double precision, the best of some."""
    a, best = np.random.default_rng(0).standard_normal((512, 512)), np.inf
    for _ in range(20):
        start = time.process_time()
        a @ a
        best = min(best, time.process_time() - start)
    return 2 * 512**3 / best / 1e9


def main() -> None:
    """Count, measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="ARRAY:METHOD")
    args = parser.parse_args()
    torch.set_num_threads(1)
    total: Counter[str] = Counter()
    count_into(total)
    rate, estimates = rate_gflops(), 5 if args.quick else ESTIMATES
    table: dict[str, dict[str, float]] = {}
    for case in args.cases:
        array, _, method = case.partition(":")
        spec, generator = load_spec(array), torch.Generator().manual_seed(0)
        y = receive(draw_scene(spec, estimates, 2, 5.0, generator), 256, generator=generator).snapshots
        estimator = make_estimator(method, spec)
        estimator(make_batch(y[:1]), 2)
        total.clear()
        cpu = []
        for i in range(estimates):
            start = time.process_time()
            estimator(make_batch(y[i : i + 1]), 2)
            cpu.append(1e3 * (time.process_time() - start))
        arithmetic = total["operations"] / estimates / rate / 1e6
        table[case] = {
            "densities": round(total["densities"] / estimates),
            "informations": round(total["informations"] / estimates),
            "mega_operations": round(total["operations"] / estimates / 1e6, 2),
            "at_rate_ms": round(arithmetic, 3),
            "cpu_median_ms": round(float(np.median(cpu)), 2),
            "times_arithmetic": round(float(np.median(cpu)) / arithmetic, 1),
        }
        print(f"{case:18s}", json.dumps(table[case]), flush=True)
    case = "P = 2, L = 256, 5 dB, one estimate"
    write_result(__file__, args, {"case": case, "rate_gflops": round(rate, 1), "methods": table})


if __name__ == "__main__":
    main()

"""What the correctors can take: 8 channels through coupling_corrector and phase_corrector, all on one core.

    .venv/bin/python benchmarks/corrector.py [--channels 8] [--seconds 5]

Each flowgraph is N noise sources (a repeated vector), the block, and N null sinks, with every thread of the process
pinned to one core, sources and sinks included. The rate is that of each channel, in samples per second of the
process's own processor time, so that other programs on the machine count only by the caches that they share: the best
of five parts is taken. The rate by the clock stands beside it. For comparison the same with GNU Radio's C++ block that
multiplies by a matrix, and without any block. Updates come in by cross-fades of 4096 samples.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from command import make_parser, write_result
from gnuradio import blocks, gr
from gr_doamc import coupling_corrector, phase_corrector

BAR_MSPS = 10.0
#: parts of a case, of which the best counts: other programs take the caches away, too
_RUNS = 5


def coupling(n: int, seed: int) -> np.ndarray:
    """A coupling matrix (N, N) of some strength."""
    rng = np.random.default_rng(seed)
    return np.eye(n) + 0.2 * (rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n)))


def rate(n: int, seconds: float, block: Any, meanwhile: Callable[[], None] | None = None) -> dict[str, float]:
    """Rates of each channel through a block of N streams, or without one; meanwhile is called 20 times a second."""
    rng = np.random.default_rng(0)
    noise = (rng.standard_normal(16384) + 1j * rng.standard_normal(16384)).astype(np.complex64)
    flowgraph, sinks = gr.top_block(), [blocks.null_sink(8) for _ in range(n)]
    for k, sink in enumerate(sinks):
        source = blocks.vector_source_c(noise, True)
        if block is None:
            flowgraph.connect(source, sink)
        else:
            flowgraph.connect(source, (block, k))
            flowgraph.connect((block, k), sink)
    flowgraph.start()
    time.sleep(0.5)  # buffers fill, caches warm
    read, found = sinks[0].nitems_read, []
    for _ in range(_RUNS):
        samples, cpu, wall = read(0), time.process_time(), time.perf_counter()
        while time.perf_counter() < wall + seconds / _RUNS:
            time.sleep(0.05)
            if meanwhile:
                meanwhile()
        samples, cpu, wall = read(0) - samples, time.process_time() - cpu, time.perf_counter() - wall
        found.append({"msps_per_core": samples / cpu / 1e6, "msps_by_the_clock": samples / wall / 1e6,
                      "cores": cpu / wall})  # fmt: skip
    flowgraph.stop()
    flowgraph.wait()
    return max(found, key=lambda f: f["msps_per_core"])


def measure(n: int = 8, seconds: float = 3.0) -> dict[str, dict[str, float]]:
    """Rates of every case, on one core; the process may use all of them again afterwards."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})  # threads that are made from here on inherit it
    pairs = [coupling(n, seed) for seed in (1, 2)]
    corrector, following = coupling_corrector(n, fade=4096), coupling_corrector(n, fade=4096)
    corrector.set_coupling(pairs[0], fade=0)

    def follow() -> None:
        pairs.reverse()
        following.set_coupling(pairs[0])

    try:
        return {
            "coupling_corrector": rate(n, seconds, corrector),
            "coupling_corrector, 20 updates a second": rate(n, seconds, following, follow),
            "phase_corrector": rate(n, seconds, phase_corrector(n, n_samples=4096, at_start=True)),
            "phase_corrector, delays": rate(n, seconds, phase_corrector(n, max_lag=1024, at_start=False)),
            "blocks.multiply_matrix_cc": rate(n, seconds, blocks.multiply_matrix_cc(pairs[0].tolist())),
            "sources and sinks alone": rate(n, seconds, None),
        }
    finally:
        os.sched_setaffinity(0, allowed)


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--channels", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each case (%(default)g)")
    args = parser.parse_args()
    cases = measure(args.channels, 0.5 if args.quick else args.seconds)
    reached = cases["coupling_corrector"]["msps_per_core"]
    result = {
        "what": f"{args.channels} channels of complex64, MS/s each, all of the flowgraph on one core",
        "cases": {name: {k: round(v, 3) for k, v in case.items()} for name, case in cases.items()},
        "bar_msps": BAR_MSPS, "bar_reached": bool(reached >= BAR_MSPS),
    }  # fmt: skip
    write_result(__file__, args, result, gnuradio=gr.version())


if __name__ == "__main__":
    main()

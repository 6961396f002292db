"""KrakenSDR at full rate: five channels of 2.4 MS/s, 96 MB/s, from the emulator to estimates.

    .venv/bin/python benchmarks/heimdall.py [--method ml] [--duration 20] [--restarts 10] [--soak 10000]

The emulator runs in a process of its own and is paced: frames of 1 048 576 samples that are not fetched in time are
dropped and counted. The flowgraph takes 256 snapshots of every 0.1 s. Then the server is killed and started anew, again
and again, and the time until samples flow again is taken from the moment at which it listens. Last, a soak: small
frames with random faults, each of which must be passed on or counted. Prints the figures and writes
benchmarks/heimdall.json.
"""

import resource
import signal
import time
from typing import Any

import gr_doamc
from command import make_parser, write_result
from emulated import CHANNELS, HOP, RATE_HZ, SNAPSHOTS, Server, chain
from gnuradio import gr

from doamc.krakensdr import Client
from doamc.krakensdr.faults import Faults
from doamc.krakensdr.sources import SimulatedFrames
from doamc.krakensdr.version1 import Heimdall
from doamc.krakensdr.version1.emulator import Emulator
from doamc.spec import load_spec

FAULTS = {
    "drop": 0.01, "duplicate": 0.01, "truncate": 0.005, "bad-sync": 0.005, "garbage": 0.003, "stall": 0.002,
    "close": 0.003, "restart": 0.001, "unsynchronised": 0.03, "channels": 0.01,
}  # fmt: skip


def throughput(method: str, duration_s: float) -> dict[str, Any]:
    """The chain at 96 MB/s: what arrived, what was lost, what it cost."""
    server = Server(1)
    source = gr_doamc.heimdall_source(port=server.port, control_port=0, n_elements=CHANNELS, duration=duration_s)
    flowgraph, cutter, estimator = chain(source, method)
    server_cpu, cpu, begin = server.cpu_s(), time.process_time(), time.perf_counter()
    flowgraph.run()
    wall, cpu, server_cpu = time.perf_counter() - begin, time.process_time() - cpu, server.cpu_s() - server_cpu
    server.end()
    samples, counts, made = source.nitems_written(0), source.counters, estimator.status("stopped")["counters"]
    return {
        "what": f"{CHANNELS} x {RATE_HZ / 1e6:g} MS/s, 1048576 samples a frame, L = {SNAPSHOTS} every 0.1 s",
        "method": method, "wall_s": wall, "megabytes_per_s": 8e-6 * CHANNELS * samples / wall,
        "frames_passed": counts["passed"], "frames_lost": counts["lost"], "failures": counts["failures"],
        "batches_expected": int(samples) // HOP, "batches": cutter.produced, "estimator": made,
        "cores_flowgraph": cpu / wall, "cores_emulator": server_cpu / wall,
        "cores_engine": estimator.engine_cpu_s / wall,
    }  # fmt: skip


def restarts(count: int) -> dict[str, Any]:
    """Kill the server, start it anew, and time how long samples take to flow again."""
    options = ("--samples", "4096", "--sample-rate", "1e6")
    server, delays = Server(1, *options), []
    with Client("127.0.0.1", [Heimdall(server.port, CHANNELS)]) as client:
        for _ in range(count):
            client.release(client.get(20.0))
            server.end(signal.SIGKILL)
            while (held := client.get(0.3)) is not None:
                client.release(held)
            server = Server(1, *options, at=server)
            begin = time.perf_counter()  # it has told its port: it listens
            client.release(client.get(20.0))
            delays.append(time.perf_counter() - begin)
        counted = client.counters.restarts
    server.end()
    return {"restarts": count, "restarts_counted": counted, "seconds_until_samples": [round(d, 3) for d in delays]}


def soak(requests: int, seed: int) -> dict[str, Any]:
    """Small frames with random faults: what became of each."""
    scene = SimulatedFrames(load_spec("uca5"), cpi_length=64)
    faults = Faults(FAULTS, stall_s=0.25, restart_s=0.05, seed=seed)
    server = Emulator(scene, paced=False, frames=requests, faults=faults, forgiving=True)
    early = 0
    begin = time.perf_counter()
    with server, Client("127.0.0.1", [Heimdall(server.port, CHANNELS, 0.2)]) as client:
        while not server.done.is_set():
            frame = client.get(0.02)
            if frame is not None:
                client.release(frame)
            if not early and client.counters.frames > requests // 20:
                early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        counts = client.counters
    return {
        "requests": requests, "seconds": time.perf_counter() - begin, "frames_numbered": server.produced,
        "faults": server.faulty, "counters": counts.as_dict(),
        "uncounted": server.produced - counts.frames - counts.lost,
        "memory_growth_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early) / 1024,
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--method", default="ml")
    parser.add_argument("--duration", type=float, default=20.0, help="s of stream (%(default)g)")
    parser.add_argument("--restarts", type=int, default=10, help="times that the server is killed (%(default)s)")
    parser.add_argument("--soak", type=int, default=10_000, help="frames with faults (%(default)s)")
    args = parser.parse_args()
    if args.quick:
        args.duration, args.restarts, args.soak = 2.0, 1, 300
    result = {
        "soak": soak(args.soak, seed=1), "server_killed": restarts(args.restarts),
        "throughput": throughput(args.method, args.duration),
    }  # fmt: skip
    write_result(__file__, args, result, gnuradio=gr.version())


if __name__ == "__main__":
    main()

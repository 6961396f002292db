"""What the flowgraph costs beside its engine: eight channels at 2 MS/s each, an estimate every 20 ms.

    .venv/bin/python benchmarks/flowgraph.py [--method ml] [--duration 20]

Samples of a simulated scene are replayed from memory (C++ vector sources), paced, cut into batches, estimated and
published. CPU time of the process between start and end, less that of the engine's thread, over the wall time, is
what everything else took, in cores. Losses: every batch must have been estimated or counted as dropped, and the
number of batches must be that of the samples.
"""

import time

import gr_doamc
import torch
from command import make_parser, write_result
from gnuradio import blocks, gr

from doamc.scenes import draw_scene, receive
from doamc.spec import load_spec

CHANNELS, RATE_HZ, HOP, SNAPSHOTS = 8, 2e6, 40_000, 256


class replay(gr.top_block):
    """Eight streams from memory at 2 MS/s, into whatever `connect_sinks` connects."""

    def __init__(self, duration_s: float) -> None:
        gr.top_block.__init__(self, "replay")
        generator = torch.Generator().manual_seed(1)
        scene = draw_scene(load_spec("ula8"), 1, 2, snr_db=10.0, generator=generator)
        samples = receive(scene, HOP, "gaussian", generator).snapshots[0].to(torch.complex64).numpy()
        self.sources = [blocks.vector_source_c(row.tolist(), True) for row in samples]
        self.throttle = blocks.throttle(gr.sizeof_gr_complex, RATE_HZ)
        self.head = blocks.head(gr.sizeof_gr_complex, round(duration_s * RATE_HZ))
        self.connect(self.sources[0], self.throttle, self.head)
        self.streams = [self.head, *self.sources[1:]]


def measure(flowgraph: gr.top_block) -> tuple[float, float]:
    """CPU seconds and wall seconds of a run."""
    cpu, wall = time.process_time(), time.perf_counter()
    flowgraph.run()
    return time.process_time() - cpu, time.perf_counter() - wall


def source_alone(duration_s: float) -> float:
    """Cores that the replay takes without the chain: the eight streams interleaved at once and thrown away."""
    flowgraph = replay(duration_s)
    sink = blocks.null_sink(gr.sizeof_gr_complex)
    for port, stream in enumerate(flowgraph.streams):
        flowgraph.connect(stream, (sink, port))
    cpu, wall = measure(flowgraph)
    return cpu / wall


def chain(duration_s: float, method: str) -> dict[str, float]:
    """What the whole chain took, and the counts of its batches."""
    flowgraph = replay(duration_s)
    cutter = gr_doamc.snapshot_buffer(CHANNELS, SNAPSHOTS, HOP, 1, RATE_HZ, "ula8")
    estimator = gr_doamc.doa_estimator("ula8", method, 2)
    publisher = gr_doamc.zmq_publisher("tcp://127.0.0.1:*")
    for port, stream in enumerate(flowgraph.streams):
        flowgraph.connect(stream, (cutter, port))
    flowgraph.msg_connect(cutter, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect(estimator, "estimates", publisher, "estimates")
    flowgraph.msg_connect(estimator, "status", publisher, "status")
    cpu, wall = measure(flowgraph)
    counts = estimator.status("stopped")["counters"]
    expected = int(duration_s * RATE_HZ) // HOP
    return {
        "wall_s": wall,
        "achieved_msps_per_channel": duration_s * RATE_HZ / wall / 1e6,
        "cores_total": cpu / wall,
        "cores_engine": estimator.engine_cpu_s / wall,
        "cores_beside_engine": (cpu - estimator.engine_cpu_s) / wall,
        "batches_expected": expected,
        "batches_produced": cutter.produced,
        **counts,
        "published": publisher.sent,
        "uncounted_loss": expected - counts["estimated"] - counts["dropped"] - counts["failed"],
    }


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--method", default="ml")
    parser.add_argument("--duration", type=float, default=20.0, help="s of stream (%(default)g)")
    args = parser.parse_args()
    duration, every_ms = 1.0 if args.quick else args.duration, HOP / RATE_HZ * 1e3
    result = {
        "what": f"{CHANNELS} channels at {RATE_HZ / 1e6:g} MS/s, L = {SNAPSHOTS}, an estimate every {every_ms:g} ms",
        "method": args.method, **chain(duration, args.method), "cores_replay_alone": source_alone(duration),
    }  # fmt: skip
    rounded = {k: round(v, 4) if isinstance(v, float) else v for k, v in result.items()}
    write_result(__file__, args, rounded, gnuradio=gr.version())


if __name__ == "__main__":
    main()

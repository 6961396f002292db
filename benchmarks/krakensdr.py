"""KrakenSDR, version 2, at full rate: five channels of 2.4 MS/s, 24 MB/s, from the emulator to estimates.

    .venv/bin/python benchmarks/krakensdr.py [--method ml] [--duration 60] [--rounds 3] [--soak 10000]

The emulator runs in a process of its own and is paced; the flowgraph takes 256 snapshots of every 0.1 s. At the end the
server is stopped first, so that everything that it sent arrives: its own account and the client's must then agree to
the byte. Then a client is watched while the server is killed and started anew, frozen, started with four channels and
tuned: how soon the state is told, and how soon samples come once there are valid ones. Last, a soak: small packets with
faults of every kind. Prints the figures and writes benchmarks/krakensdr.json.
"""

import gc
import json
import os
import resource
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gr_doamc
import pmt
from command import make_parser, write_result
from emulated import AZIMUTH_DEG, CHANNELS, HOP, RATE_HZ, SNAPSHOTS, Server, chain
from gnuradio import blocks, gr

from doamc.krakensdr import Client
from doamc.krakensdr.faults import Faults
from doamc.krakensdr.scene import Scene
from doamc.krakensdr.session import MISMATCH, STREAMING, UNSYNCHRONISED, WAITING
from doamc.krakensdr.version2 import Control, Suite
from doamc.krakensdr.version2.emulator import FAULTS, Payloads, SuiteEmulator, Times
from doamc.spec import load_spec

RATES = dict.fromkeys(FAULTS, 0.01) | {"close": 0.003, "restart": 0.001, "retune": 0.002, "incoherent": 0.002}
#: a receiver whose states last these times, s of stream, and whose samples are soon drawn
_TIMES = "retuning=0.2", "cooling=1", "waiting=0.2", "measuring=0.2", "applying=0.2", "verifying=0.2"
QUICK = [*(word for time_ in _TIMES for word in ("--time", time_)), "--loop", "0.1"]


def throughput(method: str, duration_s: float) -> dict[str, Any]:
    """The chain at 24 MB/s: what arrived, what was lost, what it cost."""
    with tempfile.TemporaryDirectory(prefix="doamc-krakensdr-") as folder:
        report = Path(folder) / "sent.json"
        server = Server(2, "--channel-order", "as-specified", "--report", str(report))
        source = gr_doamc.krakensdr_source(version=2, port=server.port, control_port=-1, n_elements=CHANNELS)
        flowgraph, cutter, estimator = chain(source, method)
        estimates = blocks.message_debug()
        flowgraph.msg_connect(estimator, "estimates", estimates, "store")
        server_cpu, cpu, begin = server.cpu_s(), time.process_time(), time.perf_counter()
        flowgraph.start()
        time.sleep(duration_s)
        server_cpu, cpu, wall = server.cpu_s() - server_cpu, time.process_time() - cpu, time.perf_counter() - begin
        server.end()
        within(lambda: source.client.state == "absent" and not source.client.pool._ready)
        source.stop()
        within(lambda: estimator.status("running")["counters"]["received"] == cutter.produced)
        flowgraph.stop()
        flowgraph.wait()
        sent = json.loads(report.read_text())
    samples, counts, made = source.nitems_written(0), source.counters, estimator.status("stopped")["counters"]
    accounted = sum(n for name, n in counts.items() if name.startswith("bytes_"))
    found = [pmt.to_python(estimates.get_message(k)) for k in range(estimates.num_messages())]
    wrong = sorted(
        max(abs(s["azimuth_deg"] - a) for s, a in zip(f["sources"], AZIMUTH_DEG, strict=False)) for f in found
    )
    return {
        "what": f"{CHANNELS} x {RATE_HZ / 1e6:g} MS/s of 8 bits, 16384 samples a packet, L = {SNAPSHOTS} every 0.1 s",
        "method": method, "wall_s": wall, "megabytes_per_s": 1e-6 * counts["bytes"] / wall,
        "packets": sent["packets"], "packets_passed": counts["passed"],
        "packets_kept_back": {k: counts[k] for k in ("noise_source", "not_converged", "settling", "not_taken")},
        "packets_not_sent": {k: sent["all"][k] for k in ("lost", "unsent")} | {"skipped": sent["skipped"]},
        "bytes_sent": sent["all"]["sent"], "bytes_received": counts["bytes"],
        "bytes_unaccounted": sent["all"]["sent"] - accounted, "lost_estimate": counts["lost_estimate"],
        "lost_uncertainty": counts["lost_uncertainty"],
        "batches_expected": int(samples) // HOP, "batches": cutter.produced, "estimator": made,
        "median_error_deg": wrong[len(wrong) // 2] if wrong else None,
        "cores_flowgraph": cpu / wall, "cores_engine": estimator.engine_cpu_s / wall,
        "cores_beside_engine": (cpu - estimator.engine_cpu_s) / wall, "cores_emulator": server_cpu / wall,
    }  # fmt: skip


def within(condition: Callable[[], bool], limit_s: float = 30.0) -> float:
    """Seconds until a condition holds."""
    begin = time.perf_counter()
    while not condition():
        if time.perf_counter() > begin + limit_s:
            raise SystemExit("something that must happen did not")
        time.sleep(0.002)
    return time.perf_counter() - begin


class Watch:
    """A client, when it told which state, and when its samples came."""

    def __init__(self, port: int) -> None:
        self.told: list[tuple[float, str]] = []
        self.suite = Suite(port, CHANNELS)
        self.client = Client("127.0.0.1", [self.suite], lambda state: self.told.append((time.monotonic(), state)))

    def until(self, condition: Any, limit_s: float = 60.0) -> float:
        """Take frames until a condition holds; when that was."""
        end = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > end:
                raise SystemExit(f"waited for {limit_s} s: {self.client.state}, {self.client.last_error}")
            frame = self.client.get(0.002)
            if frame is not None:
                self.client.release(frame)
        return time.monotonic()

    def take_for(self, seconds: float) -> None:
        """Take frames for so long."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def state_after(self, begin: float, state: str) -> float:
        """How long after a time a state was told, s."""
        self.until(lambda: any(t >= begin and s == state for t, s in self.told))
        return next(t for t, s in self.told if t >= begin and s == state) - begin

    def samples_after(self, begin: float) -> float:
        """How long after a time samples came, s."""
        passed = self.suite.counters.passed
        return self.until(lambda: self.suite.counters.passed > passed) - begin

    def samples_after_the_last_kept_back(self) -> float:
        """How long after the last packet that could not be used samples came, s."""
        counters, state = self.suite.counters, [0, 0.0]

        def streaming() -> bool:
            count = sum(counters.packets.values()) - counters.passed
            if count != state[0]:
                state[:] = count, time.monotonic()
            return self.client.state == STREAMING

        return self.until(streaming) - state[1]


def outages(rounds: int) -> dict[str, Any]:
    """Seconds until the state is told, and until samples come once there are valid ones."""
    found: dict[str, Any] = {}
    server = Server(2, *QUICK)
    watch = Watch(server.port)

    def note(name: str, seconds: float) -> None:
        found.setdefault(name, []).append(round(seconds, 3))

    with watch.client:
        watch.until(lambda: watch.client.state == STREAMING)
        for _ in range(rounds):
            begin = time.monotonic()
            server.end(signal.SIGKILL)
            note("killed_told", watch.state_after(begin, "absent"))
            server = Server(2, *QUICK, at=server)
            note("restarted_samples", watch.samples_after(time.monotonic()))  # it has told its port: it listens
            watch.until(lambda: watch.client.state == STREAMING)
            begin = time.monotonic()
            os.kill(server.process.pid, signal.SIGSTOP)
            note("frozen_told", watch.state_after(begin, WAITING))
            watch.take_for(5.0)
            os.kill(server.process.pid, signal.SIGCONT)
            note("thawed_samples", watch.samples_after(time.monotonic()))
            watch.until(lambda: watch.client.state == STREAMING)
            begin = time.monotonic()
            with Control(port=server.control_port, timeout_s=20.0) as control:
                control.set_frequency(868.3e6 if watch.suite.gate.last.frequencies_hz[0] < 8e8 else 433.9e6)
            note("retuned_told", watch.state_after(begin, UNSYNCHRONISED))
            note("retuned_samples_after_the_last_kept_back", watch.samples_after_the_last_kept_back())
            server.end(signal.SIGKILL)
            server = Server(2, "--channel-order", "0,4,3,2", *QUICK, at=server)
            note("four_channels_told", watch.state_after(time.monotonic(), MISMATCH))
            server.end(signal.SIGKILL)
            server = Server(2, *QUICK, at=server)
            note("five_channels_samples_after_the_last_kept_back", watch.samples_after_the_last_kept_back())
    server.end()
    return {"rounds": rounds, "seconds": found, "bytes_unaccounted": watch.suite.counters.unaccounted}


def soak(packets: int, seed: int) -> dict[str, Any]:
    """Small packets with random faults: what became of every byte."""
    times = Times(0.02, 0.03, 0.01, 0.01, 0.01, 0.01)
    payloads = Payloads(Scene(load_spec("uca5")).draw, CHANNELS, 64)
    faults = Faults(RATES, stall_s=0.02, restart_s=0.05, seed=seed, known=FAULTS)
    server = SuiteEmulator(payloads, 6400.0, times=times, paced=False, packets=packets, faults=faults, room=2)
    begin, early = time.perf_counter(), 0
    with server, Client("127.0.0.1", [Suite(server.port, CHANNELS, settling_s=0.0)]) as client:
        counts = client.counters
        while not server.done.is_set():
            frame = client.get(0.02)
            if frame is not None:
                client.release(frame)
            if not early and server.stream.produced > packets // 5:
                gc.collect()
                early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        within(lambda: counts.came == server.clients.total().sent and not counts.pending)
        seconds = time.perf_counter() - begin
    total = server.clients.total()
    return {
        "packets": packets, "seconds": seconds, "faults": dict(server.stream.faulty), "sent": total.as_dict(),
        "counters": counts.as_dict(), "bytes_unaccounted": total.sent - counts.came + counts.unaccounted,
        "memory_growth_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early) / 1024,
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--method", default="ml")
    parser.add_argument("--duration", type=float, default=60.0, help="s of stream (%(default)g)")
    parser.add_argument("--rounds", type=int, default=3, help="of outages (%(default)s)")
    parser.add_argument("--soak", type=int, default=10_000, help="packets with faults (%(default)s)")
    args = parser.parse_args()
    if args.quick:
        args.duration, args.rounds, args.soak = 3.0, 1, 1000
    result = {
        "throughput": throughput(args.method, args.duration), "outages": outages(args.rounds),
        "soak": soak(args.soak, seed=1),
    }  # fmt: skip
    write_result(__file__, args, result, gnuradio=gr.version())


if __name__ == "__main__":
    main()

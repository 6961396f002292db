"""KrakenSDR of version 2 at full rate: five channels of 2.4 MS/s, 24 MB/s, from the emulator to estimates.

    .venv/bin/python benchmarks/krakensdr.py [--method ml] [--duration 60] [--samples 16384] [--emulator COMMAND]

The emulator runs in a process of its own and is paced. The flowgraph takes 256 snapshots of every 0.1 s. Then a client
is watched while the server is killed and started anew, frozen, started with four channels and tuned: how soon the state
is told, and how soon samples come once there are valid ones. Last, a soak: small packets with random faults, of which
every byte must be accounted for.
"""

import json
import os
import resource
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import gr_doamc
from command import make_parser, write_result
from gnuradio import blocks, gr

from doamc.krakensdr import Client
from doamc.krakensdr.session import MISMATCH, STREAMING, UNSYNCHRONISED, WAITING
from doamc.krakensdr.version2 import Control, Suite

RATE_HZ, CHANNELS, HOP, SNAPSHOTS = 2.4e6, 5, 240_000, 256
DOAMC = shlex.join([sys.executable, "-m", "doamc", "krakensdr-emulator"])
FAULTS = {
    "drop": 0.01, "garbage": 0.01, "truncate": 0.01, "headless": 0.005, "decoy": 0.005, "bad-magic": 0.01,
    "magic": 0.01, "stall": 0.001, "close": 0.003, "restart": 0.001, "channels": 0.01, "noise": 0.01, "wideband": 0.01,
    "independent": 0.01, "clip": 0.01, "retune": 0.001, "incoherent": 0.001,
}  # fmt: skip
#: how long states of the emulated receiver last, s
TIMES = ("retuning=0.2", "cooling=1", "waiting=0.2", "measuring=0.2", "applying=0.2", "verifying=0.2")


class Server:
    """The emulator as a program of its own."""

    def __init__(
        self, command: str, samples: int, port: int = 0, control_port: int = 0, array: str = "uca5", more: tuple = ()
    ) -> None:
        words = [*shlex.split(command), "--version", "2", "--port", port, "--control-port", control_port, "--array",
                 array, "--samples", samples, *[w for t in TIMES for w in ("--time", t)], *more]  # fmt: skip
        if array == "uca5":
            words += ["--azimuth-deg", 40, 200]
        self.process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port, self.control_port = (int(part.rpartition(":")[2]) for part in line.split(","))

    def cpu_s(self) -> float:
        """Processor time so far, s."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, or kill it."""
        self.process.send_signal(number)
        self.process.wait(20)
        self.process.stdout.close()


def throughput(command: str, samples: int, method: str, duration_s: float) -> dict[str, Any]:
    """The chain at 24 MB/s: what arrived, what became of it, what it cost."""
    server = Server(command, samples)
    source = gr_doamc.krakensdr_source(
        version=2, port=server.port, control_port=server.control_port, n_elements=CHANNELS, duration=duration_s
    )
    cutter = gr_doamc.snapshot_buffer(CHANNELS, SNAPSHOTS, HOP, 1, RATE_HZ, "uca5")
    estimator = gr_doamc.doa_estimator("uca5", method, 2, queue_size=8)
    flowgraph = gr.top_block("throughput")
    counter = blocks.null_sink(gr.sizeof_gr_complex)
    for channel in range(CHANNELS):
        flowgraph.connect((source, channel), (cutter, channel))
    flowgraph.connect((source, 0), counter)
    flowgraph.msg_connect(cutter, "snapshots", estimator, "snapshots")
    server_cpu, cpu, begin = server.cpu_s(), time.process_time(), time.perf_counter()
    flowgraph.run()
    wall, cpu, server_cpu = time.perf_counter() - begin, time.process_time() - cpu, server.cpu_s() - server_cpu
    server.end()
    taken, counts = source.nitems_written(0), {k: n for k, n in source.counters.items() if n}
    engine = estimator.engine_cpu_s / wall
    return {
        "what": f"{CHANNELS} x {RATE_HZ / 1e6:g} MS/s, {samples} samples a packet, L = {SNAPSHOTS} every 0.1 s",
        "method": method, "wall_s": wall, "megabytes_per_s": 1e-6 * source.counters["bytes"] / wall,
        "bytes_unaccounted": source.client.counters.unaccounted, "counters": counts,
        "batches_expected": int(taken) // HOP, "batches": cutter.produced,
        "estimator": estimator.status("stopped")["counters"],
        "cores_beside_the_engine": cpu / wall - engine, "cores_engine": engine, "cores_emulator": server_cpu / wall,
    }  # fmt: skip


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


def outages(command: str, samples: int, rounds: int) -> dict[str, Any]:
    """Seconds until the state is told, and until samples come once there are valid ones."""
    found: dict[str, Any] = {}
    server = Server(command, samples)
    watch = Watch(server.port)

    def note(name: str, seconds: float) -> None:
        found.setdefault(name, []).append(round(seconds, 3))

    with watch.client:
        watch.until(lambda: watch.client.state == STREAMING)
        for _ in range(rounds):
            begin = time.monotonic()
            server.end(signal.SIGKILL)
            note("killed_told", watch.state_after(begin, "absent"))
            server = Server(command, samples, server.port, server.control_port)
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
            kept = [0, 0.0]

            def valid(kept: list = kept) -> bool:
                count = sum(watch.suite.counters.packets.values()) - watch.suite.counters.passed
                if count != kept[0]:
                    kept[:] = count, time.monotonic()
                return watch.client.state == STREAMING

            note("retuned_samples_after_the_last_kept_back", watch.until(valid) - kept[1])
            begin = time.monotonic()
            server.end(signal.SIGKILL)
            server = Server(command, samples, server.port, server.control_port, array="ula4")
            note("four_channels_told", watch.state_after(time.monotonic(), MISMATCH))
            server.end(signal.SIGKILL)
            server = Server(command, samples, server.port, server.control_port)
            note("five_channels_samples", watch.samples_after(time.monotonic()))
            watch.until(lambda: watch.client.state == STREAMING)
    server.end()
    return {"rounds": rounds, "seconds": found, "bytes_unaccounted": watch.suite.counters.unaccounted}


def soak(command: str, packets: int) -> dict[str, Any]:
    """Small packets with random faults: what became of each byte."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        brief = ("waiting", "measuring", "applying", "verifying")
        times = ["retuning=0.01", "cooling=0.005", *(f"{state}=0.002" for state in brief)]
        more = ["--fast", "--packets", packets, "--stall", 0.05, "--restart", 0.05, "--seed", 1, "--report", report]
        more += [word for told in times for word in ("--time", told)]
        more += [word for name, rate in FAULTS.items() for word in ("--fault", f"{name}={rate}")]
        server = Server(command, 256, more=tuple(more))
        suite, taken, early, begin = Suite(server.port, CHANNELS, settling_s=0.001), 0, 0, time.perf_counter()
        with Client("127.0.0.1", [suite]) as client:
            while server.process.poll() is None:
                frame = client.get(0.05)
                if frame is not None:
                    taken += frame.samples.shape[1]
                    client.release(frame)
                if not early and suite.heard > packets // 3:
                    early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            wall = time.perf_counter() - begin
            while (frame := client.get(0.5)) is not None:
                taken += frame.samples.shape[1]
                client.release(frame)
        server.process.stdout.close()
        told = json.loads(report.read_text(encoding="utf-8"))
    counts = suite.counters
    return {
        "packets": packets, "seconds": wall, "faults": told["faults"], "bytes_sent": told["all"]["sent"],
        "bytes_came": counts.came, "bytes_unaccounted": counts.unaccounted, "counters": counts.as_dict(),
        "samples_passed": 256 * counts.passed, "samples_taken": taken,
        "memory_growth_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early) / 1024,
    }  # fmt: skip


def main() -> None:
    """Measure and write."""
    parser = make_parser(__doc__)
    parser.add_argument("--method", default="ml")
    parser.add_argument("--duration", type=float, default=60.0, help="s of stream (%(default)g)")
    parser.add_argument("--samples", type=int, default=16384, help="a packet")
    parser.add_argument("--rounds", type=int, default=3, help="of outages")
    parser.add_argument("--soak", type=int, default=10_000, help="packets with faults")
    parser.add_argument("--emulator", default=DOAMC, metavar="COMMAND", help="that serves version 2")
    args = parser.parse_args()
    if args.quick:
        args.duration, args.rounds, args.soak = 2.0, 1, 500
    result = {
        "throughput": throughput(args.emulator, args.samples, args.method, args.duration),
        "outages": outages(args.emulator, args.samples, args.rounds),
        "soak": soak(args.emulator, args.soak),
    }
    write_result(__file__, args, result, gnuradio=gr.version())


if __name__ == "__main__":
    main()

"""A soak: the whole chain at full rate, while every peer is killed or stalled in turn.

    .venv/bin/python benchmarks/soak.py [--version 1] [--minutes 60] [--every 20] [--rate 2.4e6] [--method ml]

An emulated KrakenSDR feeds source, buffer, estimator, publisher and recorder, all in this process; a dashboard with a
browser that never reads, a monitor that records, and a relay that writes CSV read the publisher. Every so many seconds
the next of these peers is killed (SIGKILL) and started anew, or stopped (SIGSTOP) for as long. What must hold: every
batch received is estimated, dropped or failed, nothing is left uncounted, the stream goes on after each fault, and
memory does not grow. Exit status 1 where something does not hold.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gr_doamc
import numpy as np
import pmt
from command import make_parser, write_result
from gnuradio import gr

CHANNELS, SNAPSHOTS, BATCHES_HZ = 5, 256, 10
#: a slope of memory beyond this counts, MB a minute, for what was watched this long in its lives together, s
SLOPE, WATCHED_S = 0.5, 600.0
#: after its start a process still fills its caches and pools, s
WARM_S = 60.0
#: longest time without an estimate while the server is there and goes on, s
SILENCE_S = 20.0
HANDSHAKE = (
    b"GET /live HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Peer:
    """A command of doamc that is killed and started again, on the same port where it has one."""

    def __init__(self, name: str, folder: Path, words: Callable[[int], list[str]], told: bool) -> None:
        self.name, self.port, self.kills, self.stalls = name, 0, 0, 0
        self._words, self._told, self._log = words, told, (folder / f"{name}.log").open("ab")
        self.start()

    def start(self) -> None:
        """Start it; where it tells its port, wait for that."""
        command = [sys.executable, "-m", "doamc", *self._words(self.port)]
        pipe = subprocess.PIPE if self._told else self._log
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=self._log)
        if self._told:
            assert self.process.stdout is not None
            line = self.process.stdout.readline().decode()
            self.port = int("".join(c if c.isdigit() else " " for c in line.split(":", 1)[1].split(",")[0]).split()[-1])

    @property
    def died(self) -> bool:
        """Whether it ended by itself."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """Kill it and start it anew."""
        self.end()
        self.kills += 1
        self.start()

    def stall(self, on: bool) -> None:
        """Stop it, or let it go on."""
        self.process.send_signal(signal.SIGSTOP if on else signal.SIGCONT)
        self.stalls += on

    def end(self) -> None:
        """Kill it."""
        self.process.kill()
        self.process.wait(20)
        if self.process.stdout is not None:
            self.process.stdout.close()


class MemoryLog:
    """Resident memory of processes over their lives."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], list[tuple[float, float]]] = {}

    def look(self, name: str, pid: int) -> None:
        """Note it."""
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            return
        self._seen.setdefault((name, pid), []).append((time.monotonic(), pages * os.sysconf("SC_PAGE_SIZE") / 1e6))

    def summary(self) -> dict[str, dict[str, float | None]]:
        """By name: highest memory in MB, and the slope within lives (least squares, one intercept a life)."""
        result: dict[str, dict[str, float | None]] = {}
        for name in dict.fromkeys(n for n, _ in self._seen):
            lives = [np.array(seen) for (n, _), seen in self._seen.items() if n == name]
            peak = max(float(life[:, 1].max()) for life in lives)
            warm = [life[life[:, 0] > life[0, 0] + WARM_S] for life in lives]
            parts = [life - life.mean(0) for life in warm if len(life) > 2]
            t, m = np.concatenate(parts).T if parts else (np.zeros(0), np.zeros(0))
            watched_s = float(sum(np.ptp(part[:, 0]) for part in parts))
            slope = float(60 * (t @ m) / (t @ t)) if parts else None
            result[name] = {"peak_mb": peak, "slope_mb_per_minute": slope, "watched_s": watched_s}
        return result


class Chain(gr.top_block):
    """Source, buffer, estimator, publisher and recorder."""

    def __init__(self, version: int, port: int, rate_hz: float, method: str, folder: Path) -> None:
        gr.top_block.__init__(self, "soak")
        self.source = gr_doamc.krakensdr_source(
            version=version, port=port, control_port=-1, n_elements=CHANNELS, sample_rate=rate_hz
        )
        self.cutter = gr_doamc.snapshot_buffer(CHANNELS, SNAPSHOTS, round(rate_hz / BATCHES_HZ), 1, rate_hz, "uca5")
        self.estimator = gr_doamc.doa_estimator("uca5", method, 2, queue_size=8)
        self.publisher = gr_doamc.zmq_publisher("tcp://127.0.0.1:*")
        self.recorder = gr_doamc.recorder(str(folder / "kept"), 10**6, "uca5")
        for channel in range(CHANNELS):
            self.connect((self.source, channel), (self.cutter, channel))
        for block, port_name, other in (
            (self.cutter, "snapshots", self.estimator), (self.cutter, "snapshots", self.recorder),
            (self.estimator, "estimates", self.publisher), (self.estimator, "estimates", self.recorder),
            (self.estimator, "status", self.publisher), (self.estimator, "status", self.recorder),
        ):  # fmt: skip
            self.msg_connect(block, port_name, other, port_name)

    def end(self) -> None:
        """End the stream, so that what is queued is still estimated and published."""
        self.cutter.sink._post(pmt.intern("stop"), pmt.to_pmt({"state": "stopped"}))
        limit = threading.Timer(60.0, self.stop)
        limit.start()
        self.wait()
        limit.cancel()

    @property
    def counters(self) -> dict[str, int]:
        """Of the estimator."""
        return dict(self.estimator.status("stopped")["counters"])


def peers(version: int, folder: Path, rate_hz: float) -> tuple[Peer, Callable[[str], list[Peer]]]:
    """The server, and what makes the readers of an address."""
    samples = min(round(rate_hz / 4), 1 << 16) if version == 2 else round(rate_hz / 4)
    own = [] if version == 2 else ["--forgive"]
    emulator = Peer(
        "emulator", folder,
        lambda port: ["krakensdr-emulator", "--version", str(version), "--port", str(port), "--control-port", "0",
                      "--array", "uca5", "--channel-order", "as-specified", "--azimuth-deg", "40", "200",
                      "--sample-rate", str(rate_hz), "--samples", str(samples), *own],
        told=True,
    )  # fmt: skip

    def readers(address: str) -> list[Peer]:
        record, csv = folder / "monitor.jsonl", folder / "relay.csv"
        return [
            Peer("dashboard", folder, lambda port: ["dashboard", "--connect", address, "--port", str(port)], told=True),
            Peer("monitor", folder, lambda _: ["monitor", address, "--record", str(record)], told=False),
            Peer("relay", folder, lambda _: ["publish", address, "--csv", str(csv)], told=False),
        ]

    return emulator, readers


def soak(version: int, minutes: float, every_s: float, rate_hz: float, method: str, folder: Path) -> dict[str, Any]:
    """Run it; what was counted."""
    emulator, readers = peers(version, folder, rate_hz)
    chain = Chain(version, emulator.port, rate_hz, method, folder)
    everybody = [emulator, *readers(chain.publisher.address)]
    browser = socket.create_connection(("127.0.0.1", everybody[1].port), 20)
    browser.sendall(HANDSHAKE)  # and never reads
    chain.start()
    memory, died, silences = MemoryLog(), [], []
    begin, turn, stalled, estimated, since = time.monotonic(), 0, None, 0, time.monotonic()
    fault = begin + max(every_s, 10.0)
    try:
        while (now := time.monotonic()) < begin + 60 * minutes:
            time.sleep(0.5)
            made = chain.counters["estimated"]
            if made > estimated or stalled is emulator:
                silences.append(now - since)
                estimated, since = made, now
            memory.look("chain", os.getpid())
            for peer in everybody:
                memory.look(peer.name, peer.process.pid)
                if peer.died:
                    died.append(peer.name)
                    peer.start()
            if now < fault:
                continue
            fault = now + every_s
            if stalled is not None:
                stalled.stall(False)
                stalled = None
            peer = everybody[turn % len(everybody)]
            if turn // len(everybody) % 2:
                peer.stall(True)
                stalled = peer
            else:
                peer.kill()
                if peer.name == "dashboard":
                    browser.close()
                    browser = socket.create_connection(("127.0.0.1", peer.port), 20)
                    browser.sendall(HANDSHAKE)
            turn, since = turn + 1, time.monotonic()
        if stalled is not None:
            stalled.stall(False)
        chain.end()
    finally:
        if stalled is not None:
            stalled.stall(False)
        chain.stop()
        chain.wait()
        browser.close()
        for peer in everybody:
            peer.end()
    wall, counts = time.monotonic() - begin, chain.counters
    silences.append(time.monotonic() - since)
    link = chain.source.counters
    return {
        "wall_s": wall, "estimator": counts, "batches": chain.cutter.produced, "published": chain.publisher.sent,
        "uncounted": counts["received"] - counts["estimated"] - counts["dropped"] - counts["failed"],
        "frames": {k: link[k] for k in ("passed", "lost", "lost_estimate", "failures") if k in link},
        "longest_silence_s": max(silences),
        "recorded": sum(1 for _ in (folder / "kept.jsonl").open("rb")),
        "faults": {p.name: {"killed": p.kills, "stalled": p.stalls} for p in everybody}, "ended_by_themselves": died,
        "memory": memory.summary(),
    }  # fmt: skip


def faults(result: dict[str, Any]) -> list[str]:
    """What does not hold, in words."""
    found = [f"{result['uncounted']} batches uncounted"] if result["uncounted"] else []
    found += [f"{name} ended by itself" for name in result["ended_by_themselves"]]
    if result["published"] != result["estimator"]["estimated"]:
        found.append("estimates that were not published")
    if result["longest_silence_s"] > SILENCE_S:
        found.append(f"no estimate for {result['longest_silence_s']:.0f} s")
    for name, seen in result["memory"].items():
        slope = seen["slope_mb_per_minute"]
        if slope is not None and slope > SLOPE and (seen["watched_s"] or 0.0) > WATCHED_S:
            found.append(f"memory of {name} grows by {slope:.1f} MB a minute")
    return found


def main() -> int:
    """Run and write; exit status."""
    parser = make_parser(__doc__)
    parser.add_argument("--version", type=int, choices=(1, 2), default=1, help="of the KrakenSDR's protocol")
    parser.add_argument("--minutes", type=float, default=60.0, help="(%(default)g)")
    parser.add_argument("--every", type=float, default=20.0, help="s between two faults, and that a stall lasts")
    parser.add_argument("--rate", type=float, default=2.4e6, help="samples a second and channel")
    parser.add_argument("--method", default="ml")
    args = parser.parse_args()
    if args.quick:
        args.minutes, args.every, args.rate = 0.5, 5.0, 2.4e5
    with tempfile.TemporaryDirectory(prefix="doamc-soak-") as folder:
        result = soak(args.version, args.minutes, args.every, args.rate, args.method, Path(folder))
    what = f"{CHANNELS} x {args.rate / 1e6:g} MS/s for {args.minutes:g} minutes, a fault every {args.every:g} s"
    about = {"what": what, "version": args.version, "method": args.method}
    result["does_not_hold"] = faults(result)
    write_result(__file__, args, about | result, gnuradio=gr.version())
    return int(bool(result["does_not_hold"]))


if __name__ == "__main__":
    sys.exit(main())

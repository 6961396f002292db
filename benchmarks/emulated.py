"""A KrakenSDR's emulator as a program of its own, and the flowgraph that estimates what it sends."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import gr_doamc
from gnuradio import blocks, gr

#: the stream of a KrakenSDR, and the 256 snapshots that are taken of every 0.1 s
RATE_HZ, CHANNELS, HOP, SNAPSHOTS = 2.4e6, 5, 240_000, 256
AZIMUTH_DEG = 40.0, 200.0


class Server:
    """The emulator of a version, on free ports or on those of another one that has ended."""

    def __init__(self, version: int, *options: str, at: "Server | None" = None) -> None:
        code = "import sys; from doamc.cli import main; sys.exit(main())"
        ports = ("0", "0") if at is None else (str(at.port), str(at.control_port))
        command = [sys.executable, "-c", code, "krakensdr-emulator", "--version", str(version), "--port", ports[0],
                   "--control-port", ports[1], "--array", "uca5", "--azimuth-deg", *map(str, AZIMUTH_DEG),
                   *options]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.port, self.control_port = (int(part.rpartition(":")[2]) for part in line.split(","))

    def cpu_s(self) -> float:
        """Processor time so far, s."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it, or kill it."""
        self.process.send_signal(number)
        self.process.communicate(timeout=30)


def chain(source: Any, method: str) -> tuple[Any, Any, Any]:
    """A source with what cuts its samples and estimates them: flowgraph, cutter, estimator."""
    cutter = gr_doamc.snapshot_buffer(CHANNELS, SNAPSHOTS, HOP, 1, RATE_HZ, "uca5")
    estimator = gr_doamc.doa_estimator("uca5", method, 2, queue_size=8)  # a frame may bring several batches at once
    flowgraph = gr.top_block("throughput")
    for channel in range(CHANNELS):
        flowgraph.connect((source, channel), (cutter, channel))
    flowgraph.connect((source, 0), blocks.null_sink(gr.sizeof_gr_complex))
    flowgraph.msg_connect(cutter, "snapshots", estimator, "snapshots")
    return flowgraph, cutter, estimator

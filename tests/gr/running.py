"""Running flowgraphs with a limit, and keeping the messages that they post."""

import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from gr_doamc.runtime.message_block import guarded, message_block
from gr_doamc.runtime.messages import Batch, batch_from_pmt, batch_to_pmt


def compile_flowgraphs(files: Iterable[str | Path], folder: Path) -> str:
    """What `doamc grcc` prints as it compiles flowgraphs into a folder; the test fails when it does."""
    code = "import sys; from doamc.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, "grcc", *map(str, files), "-o", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(flowgraph: gr.top_block, limit_s: float = 90.0) -> None:
    """Run a flowgraph to its end; the test fails, instead of hanging, when that does not come."""
    flowgraph.start()
    waiter = threading.Thread(target=flowgraph.wait, daemon=True)
    waiter.start()
    waiter.join(limit_s)
    if waiter.is_alive():
        flowgraph.stop()
        waiter.join(10.0)
        pytest.fail(f"the flowgraph did not end within {limit_s} s")


def connect_streams(flowgraph: gr.top_block, source: Any, head: Any, sink: Any, n: int = 8) -> None:
    """Connect n streams of a source to a sink, the first through a block that ends or paces all of them."""
    flowgraph.connect((source, 0), head, (sink, 0))
    for k in range(1, n):
        flowgraph.connect((source, k), (sink, k))


class collector(message_block):
    """Keeps the messages of its port ``in``."""

    def __init__(self) -> None:
        message_block.__init__(self, "collector", {"in": self._on_message})
        self.raw: list[Any] = []

    @guarded
    def _on_message(self, message: Any) -> None:
        self.raw.append(message)

    @property
    def messages(self) -> list[dict]:
        return [pmt.to_python(m) for m in self.raw]

    @property
    def batches(self) -> list[Batch]:
        return [batch_from_pmt(m) for m in self.raw]


class poster(gr.sync_block):
    """Posts given messages on its port ``out``, then ends; the stream is its clock."""

    def __init__(self, messages: list[Any]) -> None:
        gr.sync_block.__init__(self, name="poster", in_sig=None, out_sig=[np.uint8])
        self.message_port_register_out(pmt.intern("out"))
        self.left = list(messages)

    def work(self, input_items: Any, output_items: Any) -> int:
        if not self.left:
            return -1
        self.message_port_pub(pmt.intern("out"), self.left.pop(0))
        output_items[0][:1] = 0
        return 1


class posting(gr.top_block):
    """A flowgraph that posts messages to one port of a block, with collectors on some of its outputs."""

    def __init__(self, messages: list[Any], block: Any, port: str, outputs: tuple[str, ...] = ()) -> None:
        gr.top_block.__init__(self, "posting")
        self.poster, self.sink, self.block = poster(messages), blocks.null_sink(1), block
        self.connect(self.poster, self.sink)
        self.msg_connect(self.poster, "out", block, port)
        self.collectors = {name: collector() for name in outputs}
        for name, kept in self.collectors.items():
            self.msg_connect(block, name, kept, "in")


def batch_message(snapshots: np.ndarray, seq: int = 0, **changes: Any) -> Any:
    """PMT message of a batch of snapshots (N, L)."""
    about = {"sample_time": 0.1 * seq, "sample_rate": 1e5, "rx_time": None, "frequency_hz": None, "array": ""}
    about["time"] = 0.0
    return batch_to_pmt(Batch(np.asarray(snapshots, np.complex64), seq, **(about | changes)))


def scene(azimuth_deg: tuple[float, ...], size: int, n: int = 8, noise: float = 0.1, seed: int = 0) -> np.ndarray:
    """Snapshots (n, size) of unit-power emitters on an uncoupled half-wave line, written out here once more."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)

    steering = np.exp(1j * np.pi * np.outer(np.arange(n), np.sin(np.radians(azimuth_deg))))
    return (steering @ normal(len(azimuth_deg), size) + np.sqrt(noise) * normal(n, size)).astype(np.complex64)

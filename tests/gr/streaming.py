"""N streams through a block with as many outputs, and what comes out of it."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pmt
from gnuradio import blocks, gr

from tests.gr.running import collector, run

#: (sample, messages, condition): before this sample messages are posted, and it passes when the condition holds
Stop = tuple[int, list[Any], Callable[[], Any]]


class gate(gr.sync_block):
    """Copies N streams, and stops where a message is to come: what has come by a sample is then no matter of time.

    Blocks behind it may be behind by what their buffers hold, some ten thousand samples. It goes on after a minute.
    """

    def __init__(self, n: int, stops: list[Stop]) -> None:
        gr.sync_block.__init__(self, name="gate", in_sig=[np.complex64] * n, out_sig=[np.complex64] * n)
        self.message_port_register_out(pmt.intern("out"))
        self.stops = sorted(stops, key=lambda stop: stop[0])

    def work(self, input_items: Any, output_items: Any) -> int:
        begin = self.nitems_written(0)
        while self.stops and self.stops[0][0] == begin:
            _, messages, holds = self.stops.pop(0)
            for message in messages:
                self.message_port_pub(pmt.intern("out"), message)
            end = time.monotonic() + 60
            while not holds() and time.monotonic() < end:
                time.sleep(0.001)
        count = min([len(output_items[0]), *(stop[0] - begin for stop in self.stops[:1])])
        for x, y in zip(input_items, output_items, strict=True):
            y[:count] = x[:count]
        return count


class streams(gr.top_block):
    """A flowgraph of samples (N, T), a block, sinks, and a collector of its status.

    The messages of `stops` go to the input port `port` of the block.
    """

    def __init__(self, block, samples, repeat=False, tags=(), limit=0, stops=(), port=""):
        gr.top_block.__init__(self, "streams")
        self.block, self.told = block, collector()
        self.sinks = [blocks.vector_sink_c() for _ in samples]
        self.parts = []
        self.gate = gate(len(samples), list(stops)) if stops else None
        for k, row in enumerate(samples):
            source = blocks.vector_source_c(row.astype(np.complex64), repeat, 1, list(tags) if k == 0 else [])
            chain = [source, *([blocks.head(8, limit)] if limit else [])]
            if self.gate is None:
                self.connect(*chain, (block, k))
            else:
                self.connect(*chain, (self.gate, k))
                self.connect((self.gate, k), (block, k))
            self.connect((block, k), self.sinks[k])
            self.parts += chain
        if port:
            self.msg_connect(self.gate, "out", block, port)
        self.msg_connect(block, "status", self.told, "in")

    @property
    def samples(self):
        """What came out, (N, T)."""
        return np.array([sink.data() for sink in self.sinks])

    def tags(self, key):
        """Tags of a name: offset -> list of values, one a stream, in the order of the streams."""
        found = {}
        for sink in self.sinks:
            for tag in sink.tags():
                if pmt.symbol_to_string(tag.key) == key:
                    found.setdefault(tag.offset, []).append(pmt.to_python(tag.value))
        return found


def passed(block, samples, **options):
    """The flowgraph after samples (N, T) have passed through a block."""
    made = streams(block, samples, **options)
    run(made)
    return made

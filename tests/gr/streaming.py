"""N streams through a block with as many outputs, and what comes out of it."""

import numpy as np
import pmt
from gnuradio import blocks, gr

from tests.gr.running import collector, run


class streams(gr.top_block):
    """A flowgraph of samples (N, T), a block, sinks, and a collector of its status."""

    def __init__(self, block, samples, repeat=False, tags=(), rate=0.0, limit=0):
        gr.top_block.__init__(self, "streams")
        self.block, self.told = block, collector()
        self.sinks = [blocks.vector_sink_c() for _ in samples]
        self.parts = []
        for k, row in enumerate(samples):
            source = blocks.vector_source_c(row.astype(np.complex64), repeat, 1, list(tags) if k == 0 else [])
            chain = [source, *([blocks.head(8, limit)] if limit else []), *([blocks.throttle(8, rate)] if rate else [])]
            self.connect(*chain, (block, k))
            self.connect((block, k), self.sinks[k])
            self.parts += chain
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

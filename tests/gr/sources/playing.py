"""Playing a source of many streams to its end."""

import numpy as np
import pmt
from gnuradio import blocks, gr

from tests.gr.running import run


def played(source, n_channels):
    """Samples (N, T), and tags (offset, name) -> value of each stream."""
    flowgraph = gr.top_block()
    sinks = [blocks.vector_sink_c() for _ in range(n_channels)]
    for k, sink in enumerate(sinks):
        flowgraph.connect((source, k), sink)
    run(flowgraph)
    assert source.failure is None
    tags = [{(t.offset, pmt.symbol_to_string(t.key)): pmt.to_python(t.value) for t in sink.tags()} for sink in sinks]
    return np.array([s.data() for s in sinks]), tags

"""Python blocks live as long as their flowgraph uses them; it ends with its Python object, or with the program."""

import gc
import os
import subprocess
import sys
import weakref

import numpy as np
import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, doa_estimator, snapshot_buffer

from tests.gr.running import collector, run

RUNNING = """
import gc
import os
import numpy as np
import gr_doamc
from gnuradio import blocks, gr

class source(gr.sync_block):
    def __init__(self):
        gr.sync_block.__init__(self, "source", None, [np.complex64])
    def work(self, inputs, outputs):
        outputs[0][:] = 0
        return len(outputs[0])
    def stop(self):
        os.write(1, b"stopped" + bytes([10]))  # as one piece
        return True

flowgraph, feed, sink = gr.top_block(), source(), blocks.null_sink(8)
flowgraph.connect(feed, sink)
flowgraph.start()
while not sink.nitems_read(0):
    pass
"""


def built():
    """A flowgraph of blocks that nothing else holds, and weak references to them; its messages come to a collector."""
    flowgraph, told = gr.top_block(), collector()
    source = coupled_array_source("ula4", [{"azimuth_deg": 20.0}], 20.0, 1e5, np.eye(4), seed=1)
    cut, estimator = snapshot_buffer(4, 500, 0, 1, 1e5, "ula4"), doa_estimator("ula4", "music", 1)
    for k in range(4):
        flowgraph.connect((source, k), blocks.head(8, 1000), (cut, k))
    flowgraph.msg_connect(cut, "snapshots", estimator, "snapshots")
    flowgraph.msg_connect((estimator, "estimates"), (told, "in"))
    return flowgraph, told, [weakref.ref(block) for block in (source, cut, cut.sink, estimator)]


def test_blocks_that_nothing_else_holds_live_as_long_as_their_flowgraph():
    flowgraph, told, references = built()
    gc.collect()
    assert None not in [reference() for reference in references]  # else what follows calls into freed memory
    run(flowgraph)
    assert sorted(m["batch_seq"] for m in told.messages) == [0, 1]
    del flowgraph, told
    gc.collect()
    # not the estimator, which its thread holds until it has ended
    assert [reference() for reference in references[:3]] == [None] * 3


@pytest.mark.parametrize("place", ["alone", "in another"])
def test_hierarchical_blocks_let_go_their_blocks_and_buffers(place):
    def cutter():
        cut = snapshot_buffer(2, 100)
        if place == "alone":
            return cut
        outer = gr.hier_block2("outer", gr.io_signature(2, 2, 8), gr.io_signature(0, 0, 0))
        outer.message_port_register_hier_out("out")
        for k in range(2):
            outer.connect((outer, k), (cut, k))
        outer.msg_connect((cut, "snapshots"), (outer, "out"))
        outer.message_port_register_hier_in("in")
        outer.msg_connect((outer, "in"), (cut, "stop"))
        return outer

    held = []
    for _ in range(2):
        flowgraph, cut = gr.top_block(), cutter()
        for k in range(2):
            flowgraph.connect(blocks.vector_source_c([1] * 300), (cut, k))
        run(flowgraph)
        del flowgraph, cut
        gc.collect()
        held.append((gr.basic_block_ncurrently_allocated(), gr.buffer_ncurrently_allocated()))
    assert held[0] == held[1]


@pytest.mark.parametrize(
    "end",
    [
        "del flowgraph",
        "flowgraph.cycle = flowgraph\ndel flowgraph\ngc.collect()",
        "",
        "flowgraph.stop()",
        "flowgraph.stop()\nflowgraph.wait()\nflowgraph.start()",
    ],
    ids=["let go", "collected", "end of the program", "not waited for", "started again"],
)
def test_a_flowgraph_is_stopped_before_its_parts_go(end):
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    code = [sys.executable, "-c", RUNNING + end + "\nos.write(1, b'end\\n')"]
    done = subprocess.run(code, env=os.environ | paths, capture_output=True, text=True, timeout=30)
    said = [line for line in done.stdout.splitlines() if line in ("stopped", "end")]
    assert done.returncode == 0, done.stderr
    assert sorted(said) == ["end"] + ["stopped"] * (2 if "start()" in end else 1)
    assert ("del" not in end) or said == ["stopped", "end"]

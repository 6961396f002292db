"""Buffers are as long in the second run of a flowgraph as in the first."""

import pytest
from gnuradio import blocks, gr
from gr_doamc import coupled_array_source, coupling_corrector, krakensdr_source, phase_corrector

from tests.doamc.krakensdr.version1.serving import CHANNELS, emulator


@pytest.fixture
def make(request):
    if request.param is krakensdr_source:
        with emulator() as server:
            yield krakensdr_source(port=server.port, control_port=-1, version=1, n_elements=CHANNELS)
    else:
        yield request.param()


@pytest.mark.parametrize(
    "make",
    [
        krakensdr_source,
        lambda: coupled_array_source("ula8", sample_rate=1e6),
        lambda: coupling_corrector(n_elements=2),
        lambda: phase_corrector(n_elements=2),
    ],
    ids=["krakensdr_source", "coupled_array_source", "coupling_corrector", "phase_corrector"],
    indirect=True,
)
def test_a_second_run_gets_the_buffers_that_were_asked_for(make):
    block, flowgraph, asked = make, gr.top_block(), make.min_output_buffer(0)
    assert asked > 8192  # the default of GNU Radio
    lengths, begin = [], block.start

    def start():
        lengths.append(block.max_output_buffer(0))  # which GNU Radio has just set to the length
        return begin()

    block.start = start
    for k in range(block.input_signature().min_streams()):
        flowgraph.connect(blocks.null_source(gr.sizeof_gr_complex), (block, k))
    for k in range(block.output_signature().min_streams()):
        flowgraph.connect((block, k), blocks.null_sink(gr.sizeof_gr_complex))
    for _ in range(2):
        flowgraph.start()
        flowgraph.stop()
        flowgraph.wait()
    assert lengths[0] >= asked and lengths[1] == lengths[0]

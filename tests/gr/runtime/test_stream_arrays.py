"""Blocks of many channels: the arrays are the streams, no sample is lost, and tags stay in their places."""

import numpy as np
import pmt
from gnuradio import gr
from gr_doamc.runtime.stream_arrays import channels_block
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gr.streaming import passed


class copier(channels_block):
    """Copies its inputs, and keeps how many samples each call had."""

    def __init__(self, n, samples=16384):
        channels_block.__init__(self, "copier", n, samples)
        self.message_port_register_out(pmt.intern("status"))
        self.calls, self.told = [], set()

    def work(self, input_items, output_items):
        for x, y in zip(input_items, output_items, strict=True):
            self.told.add((x.dtype.str, y.dtype.str, x.flags.writeable, y.flags.writeable))
            y[:] = x
        self.calls.append(len(output_items[0]))
        return self.calls[-1]


@settings(max_examples=25)
@given(n=st.integers(1, 5), size=st.integers(1, 70_000), samples=st.sampled_from([1, 2, 1000, 16384]), data=st.data())
def test_every_sample_and_every_tag_passes_once_in_its_place(n, size, samples, data):
    streams = (np.arange(size) + 1j * np.arange(n)[:, None]).astype(np.complex64)
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = data.draw(st.integers(0, size - 1)), pmt.intern("here"), pmt.from_long(1)
    made = passed(copier(n, samples), streams, tags=[tag])
    assert np.array_equal(made.samples, streams)
    assert sum(made.block.calls) == size
    assert made.tags("here") == {tag.offset: [1]}  # on the stream that it came with
    assert made.block.told == {("<c8", "<c8", False, True)}


def test_calls_have_many_samples():
    made = passed(copier(2), np.ones((2, 100_000), np.complex64))
    assert np.mean(made.block.calls) > 4096  # GNU Radio's own buffers of 8192 give halves of that


def test_a_block_that_ends_itself_ends_the_run():
    class ending(copier):
        def work(self, input_items, output_items):
            return -1

    made = passed(ending(2), np.ones((2, 10_000), np.complex64))
    assert made.samples.shape == (2, 0)

"""Stream blocks of many channels whose `work` gets its arrays at little cost, many samples at a time.

GNU Radio makes a Python class for every array that it hands to `work`: some 20 us each, and garbage besides. With
eight streams in and eight out that is more than what they hold takes to process. Here an array is a view of the
memory that the capsule points at, in about a microsecond. And the buffers between blocks, 8192 samples by default, are
so small that the scheduler changes threads often: declaring a history, which nothing reads, makes them larger.
"""

import ctypes
from typing import Any

import numpy as np
from gnuradio import gr

from gr_doamc.runtime.output_buffers import ask_for_buffers, forget_limits

_READ, _WRITE = 0x100, 0x200  # PyBUF_READ, PyBUF_WRITE
_ITEM = gr.sizeof_gr_complex

# Prototypes of our own: those of ctypes.pythonapi are shared with GNU Radio, which sets them, too.
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
    ("PyCapsule_GetPointer", ctypes.pythonapi)
)
_memory = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)(
    ("PyMemoryView_FromMemory", ctypes.pythonapi)
)


class channels_block(gr.sync_block):
    """A sync block of N complex streams in and N or another number out.

    A tag stays on its stream; where the numbers differ, none is passed on.

    Args:
        name: of the block.
        n_channels: number of streams N.
        samples: that a call of `work` gets at most, about, when it cannot keep up.
        n_outputs: streams that come out; None for N.
    """

    def __init__(self, name: str, n_channels: int, samples: int = 16384, n_outputs: int | None = None) -> None:
        made = n_outputs or n_channels
        gr.sync_block.__init__(self, name=name, in_sig=[np.complex64] * n_channels, out_sig=[np.complex64] * made)
        self.set_tag_propagation_policy(gr.TPP_ONE_TO_ONE if made == n_channels else gr.TPP_DONT)
        # Upstream buffers get twice the history, half of which it occupies itself. A stream begins with a history of
        # zeros, so that nothing waits for it, and sample and tag numbers are those without one.
        self._before = samples - 1
        self.set_history(samples)
        ask_for_buffers(self, 2 * samples)

    def start(self) -> bool:
        """Begin a run; called by GNU Radio."""
        forget_limits(self)
        return True

    def handle_forecast(self, noutput_items: int, n_inputs: int) -> list[int]:
        """Samples that so many outputs need of every input; called by GNU Radio, a dozen times for every `work`."""
        return [noutput_items + self._before] * n_inputs

    def handle_general_work(
        self, noutput_items: int, ninput_items: list[int], input_items: list[Any], output_items: list[Any]
    ) -> int:
        """Call `work` with arrays of as many samples as every stream has; called by GNU Radio."""
        size, skip = _ITEM * noutput_items, _ITEM * self._before
        inputs = [np.frombuffer(_memory(_pointer(c, None) + skip, size, _READ), np.complex64) for c in input_items]
        outputs = [np.frombuffer(_memory(_pointer(c, None), size, _WRITE), np.complex64) for c in output_items]
        done = self.work(inputs, outputs)
        self.consume_items(done)
        return done

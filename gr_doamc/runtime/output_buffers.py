"""Buffers of a block's outputs that stay as long as was asked, in every run of a flowgraph.

A run of GNU Radio 3.10 leaves the length of each buffer as its limit, and a limit counts before what is asked: from the
second run on a buffer would have the 8192 samples of the default.
"""

from typing import Any


def ask_for_buffers(block: Any, samples: int) -> None:
    """Ask for buffers of at least so many samples at all outputs; `forget_limits` is owed at every start."""
    block.set_min_output_buffer(samples)


def forget_limits(block: Any) -> None:
    """Take back what a run leaves as a limit; called in `start`, when the buffers of this run are there."""
    block.set_max_output_buffer(-1)

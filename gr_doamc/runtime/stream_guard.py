"""Exceptions in the `work` of a stream block: GNU Radio would kill the thread and leave the flowgraph hanging.

`guarded_work` logs the exception with its cause, counts it, posts it on the block's ``status`` port, keeps it as
``failure`` for whoever ran the flowgraph, and ends the stream: blocks downstream finish as at any end of data.
"""

import functools
from collections.abc import Callable
from typing import Any

import pmt

from gr_doamc.runtime.message_block import block_status

WORK_DONE = -1


def guarded_work(work: Callable[..., int]) -> Callable[..., int]:
    """A `work` that ends the stream instead of raising; the block needs ``failure`` and a ``status`` port."""

    @functools.wraps(work)
    def call(self: Any, input_items: Any, output_items: Any) -> int:
        try:
            return work(self, input_items, output_items)
        except Exception as error:
            self.failure = error
            text = f"{type(error).__name__}: {error}"
            self.logger.error(text)
            status = block_status(self, "error", -1, {"failed": 1}, text)
            self.message_port_pub(pmt.intern("status"), pmt.to_pmt(status))
            return WORK_DONE

    return call

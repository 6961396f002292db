"""Lives of a flowgraph's Python parts: as long as GNU Radio uses them, and no thread runs on after the flowgraph.

Gaps of GNU Radio 3.10 end in a segmentation fault, in a wait for ever, or for want of memory:

- Its C++ side of a Python block does not hold the Python object (github.com/gnuradio/gnuradio/issues/8137 and 5133).
  One that is connected and nowhere else held is freed: at once, or where it is part of a cycle, as every block with
  message handlers is, by a garbage collection at any later time. The scheduler then calls into freed memory.
- A running flowgraph that is let go waits, with the interpreter's lock held, for threads that need this lock; and
  threads that still run when the program ends call into an interpreter that is gone.

Here a flowgraph holds the Python blocks that were connected to it, and is stopped before it goes. What is disconnected
stays held: a running scheduler may still use it.
"""

import _thread
import atexit
import functools
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from gnuradio import gr
from gnuradio.gr.gateway import gateway_block

LIMIT_S = 10.0  #: that the threads of a flowgraph get to end

_KEPT, _RUNS, _PORTS = "_doamc_kept", "_doamc_runs", "_doamc_ports"  # attributes of flowgraphs and hierarchical blocks

_started: WeakSet[Any] = WeakSet()  # and not waited for
# Locks of `_thread`: a garbage collection may have come here from within those of `threading`.
_over, _ended = _thread.allocate_lock(), _thread.allocate_lock()  # held until the program, and its flowgraphs, end


def guard_flowgraphs() -> None:
    """Close these gaps, for all flowgraphs of the program; a second call does nothing."""
    if hasattr(gr.top_block, "__del__"):
        return
    gr.hier_block2.connect = _keeping(gr.hier_block2.connect)
    gr.hier_block2.msg_connect = _noting(_keeping(gr.hier_block2.msg_connect))
    gr.top_block.start = _starting(gr.top_block.start)
    gr.top_block.wait = _waiting(gr.top_block.wait)
    gr.hier_block2.__del__ = _let_go
    gr.top_block.__del__ = _end
    _over.acquire()
    _ended.acquire()
    atexit.register(_end_all)


def _keeping(connect: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(connect)
    def call(self: Any, *points: Any) -> None:
        connect(self, *points)
        kept = vars(self).setdefault(_KEPT, {})
        for point in points:
            block = point[0] if isinstance(point, tuple | list) else point
            if block is not self and isinstance(block, gateway_block | gr.hier_block2):
                kept[id(block)] = block

    return call


def _noting(msg_connect: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(msg_connect)
    def call(self: Any, *points: Any) -> None:
        msg_connect(self, *points)
        begin, port, block, its_port = points if len(points) == 4 else (*points[0], *points[1])
        if self in (begin, block):  # which is not noted: it would hold itself once more
            ends = [None if end is self else end for end in (begin, block)]
            vars(self).setdefault(_PORTS, []).append((ends[0], port, ends[1], its_port))

    return call


def _let_go(hierarchical: Any) -> None:
    """Have a hierarchical block hold nothing any more; no flowgraph that runs holds it."""
    if _KEPT in vars(hierarchical):
        for begin, port, end, its_port in vars(hierarchical).pop(_PORTS, []):
            begin, end = (hierarchical if block is None else block for block in (begin, end))
            with suppress(RuntimeError):  # GNU Radio may say that there is no such port, when it has disconnected it
                hierarchical.msg_disconnect(begin, port, end, its_port)
        hierarchical.disconnect_all()


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(start)
    def call(self: Any, *arguments: Any, **named: Any) -> None:
        start(self, *arguments, **named)
        _watch()
        vars(self)[_RUNS] = True
        _started.add(self)

    return call


def _waiting(wait: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(wait)
    def call(self: Any) -> None:
        wait(self)
        vars(self)[_RUNS] = False
        _started.discard(self)

    return call


def _end(flowgraph: Any) -> None:
    """Stop a flowgraph that is let go and was not waited for; within `LIMIT_S` its threads have ended, or are left."""
    parts = dict(vars(flowgraph))  # which the thread below holds until the scheduler's threads have ended
    if parts.get(_RUNS) and not sys.is_finalizing():
        ended = _thread.allocate_lock()
        ended.acquire()
        # A thread, as a collection may come here in one of the flowgraph's own, which cannot wait for itself.
        _thread.start_new_thread(_stop_and_wait, ([parts], ended))
        ended.acquire(timeout=LIMIT_S)


def _stop_and_wait(flowgraphs: list[dict[str, Any]], ended: Any) -> None:
    try:
        for parts in flowgraphs:
            gr.gr_python.top_block_stop_unlocked(parts["_impl"])
        for parts in flowgraphs:
            gr.gr_python.top_block_wait_unlocked(parts["_impl"])
    finally:
        ended.release()


@functools.cache
def _watch() -> None:
    """Start, once, the thread that ends flowgraphs with the program; Python 3.12 and later start none at the end."""

    def end_them() -> None:
        _over.acquire()
        _stop_and_wait([dict(vars(f)) for f in list(_started)], _ended)

    _thread.start_new_thread(end_them, ())


def _end_all() -> None:
    if _started:
        _over.release()
        if _ended.acquire(timeout=LIMIT_S):
            for flowgraph in list(_started):
                vars(flowgraph)[_RUNS] = False

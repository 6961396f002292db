"""Base of the blocks that only handle messages: one that fails safely and ends in its own time.

Two habits of GNU Radio lose data here. A message handler that raises kills its thread silently. And a block of
messages ends as soon as *any* neighbour upstream is done, even while its own worker still holds batches. So handlers
are guarded, and the word that a neighbour is done is kept back until the block has nothing left to do.
"""

import functools
import threading
import time
from collections.abc import Callable
from typing import Any

import pmt
from gnuradio import gr

_SYSTEM, _DONE = pmt.intern("system"), pmt.intern("done")


def guarded(handler: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A message handler that reports what it raises, through `message_block.failed`, and goes on."""

    @functools.wraps(handler)
    def call(self: Any, message: Any) -> None:
        try:
            handler(self, message)
        except Exception as error:
            self.failed(error)
        finally:
            if getattr(self, "upstream_done", False):
                self.wake()

    return call


class message_block(gr.basic_block):
    """A block with message ports only that decides itself when it has finished.

    inputs: port name -> bound method decorated with `guarded`. outputs: port names beside ``status``.
    """

    _stopped = False  #: set by blocks whose workers may outlast the flowgraph

    def __init__(self, name: str, inputs: dict[str, Callable[[Any], None]], outputs: tuple[str, ...] = ()) -> None:
        gr.basic_block.__init__(self, name=name, in_sig=None, out_sig=None)
        self._ports = [pmt.intern(port) for port in inputs]
        for port, handler in zip(self._ports, inputs.values(), strict=True):
            self.message_port_register_in(port)
            self.set_msg_handler(port, handler)
        for port in ("status", *outputs):
            self.message_port_register_out(pmt.intern(port))
        self.set_msg_handler(_SYSTEM, self._on_system)
        self._done: Any = None
        self._logged = ("", 0.0)
        self._lock = threading.Lock()
        self.counters: dict[str, int] = {"failed": 0}
        self.last_error: str | None = None

    def start(self) -> bool:
        """Forget the end of an earlier run; called by GNU Radio."""
        self._done = None
        return True

    @property
    def upstream_done(self) -> bool:
        """Whether a neighbour upstream has said that it is done."""
        return self._done is not None

    def idle(self) -> bool:
        """Whether nothing is left to do; asked when a neighbour is done, then after every message or `wake`."""
        return True

    def wake(self) -> None:
        """Have `idle` asked again; for any thread."""
        self._post(_SYSTEM, pmt.PMT_NIL)

    def failed(self, error: Exception) -> None:
        """Count, log and publish a failure; the block goes on. The same text is logged once a second at most."""
        with self._lock:
            self.counters["failed"] += 1
        self.last_error = f"{type(error).__name__}: {error}"
        now = time.monotonic()
        if self._logged[0] != self.last_error or now > self._logged[1] + 1.0:
            self._logged = self.last_error, now
            self.logger.error(self.last_error)
        self.post("status", self.status("error"))

    def status(self, state: str) -> dict[str, Any]:
        """Status message (schema ``doamc.status/1``) whose ``block`` names this one."""
        return block_status(self, state, -1, self.counters, self.last_error)

    def post(self, port: str, message: dict[str, Any]) -> None:
        """Post a dictionary of plain values on a message port, unless the block has been stopped.

        A worker of the block may outlast the flowgraph, and end while it is being taken down.
        """
        try:
            if not self._stopped:
                self.message_port_pub(pmt.intern(port), pmt.to_pmt(message))
        except RuntimeError:
            if not self._stopped:
                raise

    def _on_system(self, message: Any) -> None:
        try:
            if pmt.is_pair(message) and pmt.eq(pmt.car(message), _DONE):
                self._done = message
            # A message may have come to another port since that one was looked at: its handler will ask again.
            if self._done is not None and not any(self.nmsgs(port) for port in self._ports) and self.idle():
                self.system_handler(self._done)  # what GNU Radio does at once otherwise: the block ends
        except Exception as error:
            self.logger.error(f"{type(error).__name__}: {error}")


def block_status(block: Any, state: str, seq: int, counters: dict[str, int], last_error: str | None) -> dict[str, Any]:
    """Status message (schema ``doamc.status/1``) of a GNU Radio block, with its name under ``block``."""
    from doamc.estimates.message import status_message

    return status_message(
        time=time.time(), state=state, seq=seq, counters=dict(counters), last_error=last_error, block=block.alias()
    )

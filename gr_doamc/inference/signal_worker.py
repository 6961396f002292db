"""The message side of `signal_finder`: starts the engine of each run, and posts what it tells."""

import threading
import time
from collections.abc import Callable
from typing import Any

from gr_doamc.runtime.draining_block import draining_block
from gr_doamc.runtime.message_block import guarded

_HEARTBEAT_S = 1.0
_STOP_S = 2.0  #: that a running estimate gets when the flowgraph is stopped


class signal_worker(draining_block):
    """Ends when the engine has told all.

    make: an engine that tells this; one for each run. rest: has what is left of the stream handed over at its end.
    left: samples that have filled no slice.
    """

    def __init__(
        self, make: Callable[[Any], Any], rest: Callable[[], None], left: Callable[[], int], drain_timeout: float
    ) -> None:
        inputs = {"stream": self._on_stream}
        draining_block.__init__(self, "signal_worker", inputs, ("signals", "spectrum"), drain_timeout)
        self._make, self._rest, self._left = make, rest, left
        self._parts, self._turn = set[str](), threading.Lock()
        self._beat = 0.0
        self.seq = self.spectra = 0
        self.engine = make(self)

    def take_part(self, part: str) -> Any:
        """The engine of a run of which a part of the block begins; whichever comes first starts it."""
        with self._turn:
            if not self._parts or part in self._parts:  # each takes part in a run once
                if self._parts:
                    self.engine = self._make(self)
                self._parts = set()
                self.begin_run()
                self.engine.start()
            self._parts.add(part)
            return self.engine

    def start(self) -> bool:
        """Start the engine; called by GNU Radio."""
        self.take_part("worker")
        self.post("status", self.status("running"))
        return super().start()

    def stop(self) -> bool:
        """End the engine, giving a running estimate two seconds; called by GNU Radio."""
        self.end_run()
        self.engine.close(drop=True)
        self.engine.done.wait(_STOP_S)
        self.engine.end()
        return True

    def drain(self) -> None:
        """Have what is left of the stream handed over, and wake when all has been told."""
        threading.Thread(target=self._wait, name="doamc-drain", daemon=True).start()
        self._rest()  # waits for room in the queue, which the timer makes
        self.engine.close()

    def done(self) -> bool:
        """Whether all slices have been told of, or were given up."""
        return self.engine.done.is_set()

    def give_up(self) -> None:
        """Drop what waits."""
        self.engine.abandon()

    def status(self, state: str) -> dict[str, Any]:
        """Status message with the counts of slices, updates, estimates and signals."""
        e = self.engine
        counts = {
            "received": e.queue.received, "used": e.used, "dropped": e.queue.dropped, "updates": e.updates,
            "placed": e.estimates.done, "ended": e.signals, "failed": e.failed, "left": e.left + self._left(),
        }  # fmt: skip
        return super().status(state) | {"seq": self.seq - 1, "counters": counts, "method": e.setup.method}

    def on_signals(self, messages: list[dict[str, Any]]) -> None:
        """Post the messages of an update; called by the engine."""
        for message in messages:
            message["seq"] = self.seq
            self.seq += 1
            self.post("signals", message)

    def on_spectrum(self, message: dict[str, Any]) -> None:
        """Post a spectrum; called by the engine."""
        self.post("spectrum", message | {"seq": self.spectra})
        self.spectra += 1

    def on_failure(self, error: Exception) -> None:
        """Tell of a slice or an estimate that could not be used; called by the engine."""
        self.failed(error)

    def on_beat(self) -> None:
        """Publish the status once a second; called by the engine."""
        now = time.monotonic()
        if now > self._beat + _HEARTBEAT_S:
            self._beat = now
            self.tell_running()

    @guarded
    def _on_stream(self, message: Any) -> None:
        """A failure of the sink, which has ended the stream."""
        import pmt

        told = pmt.to_python(message)
        self.last_error = str(told.get("last_error"))
        self.post("status", self.status("error"))

    def _wait(self) -> None:
        self.engine.done.wait()
        self.wake()

"""Base of the blocks whose workers get a time to finish once the stream has ended."""

from collections.abc import Callable
from typing import Any

from gr_doamc.runtime.drain_timer import DrainTimer
from gr_doamc.runtime.message_block import message_block


class draining_block(message_block):
    """A block of messages that is idle when its worker is done with all that came, or has given up.

    Then status ``stopped`` is told, once, and no ``running`` any more. drain_timeout: s from the end of the stream to
    `give_up`.
    """

    def __init__(
        self, name: str, inputs: dict[str, Callable[[Any], None]], outputs: tuple[str, ...], drain_timeout: float
    ) -> None:
        message_block.__init__(self, name, inputs, outputs)
        self._drain = DrainTimer(drain_timeout, self.give_up)
        self._told = False

    def done(self) -> bool:
        """Whether nothing is left to do, or it was given up."""
        raise NotImplementedError

    def give_up(self) -> None:
        """Have `done` be true soon, and asked again: the time is over; called in a thread of its own."""
        raise NotImplementedError

    def drain(self) -> None:
        """Whatever the end of the stream needs; called once in a run."""

    def idle(self) -> bool:
        """Whether all is done, or the time for that is over."""
        if self._drain.begin():
            self.drain()
        if not self.done():
            return False
        self.tell_stopped()
        return True

    def tell_running(self) -> None:
        """Publish the status, unless the block has told that it stopped."""
        if not self._told:
            self.post("status", self.status("running"))

    def tell_stopped(self) -> None:
        """Publish the last status, once."""
        with self._lock:
            told, self._told = self._told, True
        if not told:
            self.post("status", self.status("stopped"))

    def begin_run(self) -> None:
        """Forget an earlier run."""
        self._stopped = self._told = False
        self._drain.forget()

    def end_run(self) -> None:
        """Post nothing more, and give up no more."""
        self._stopped = True
        self._drain.cancel()

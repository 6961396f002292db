"""Base of the blocks at the end of the chain, which stay until those that feed them have stopped."""

from collections.abc import Callable
from typing import Any

from gr_doamc.runtime.message_block import message_block


class outlasting_block(message_block):
    """A block of messages that is idle once all blocks from which a status came have said that they stopped."""

    def __init__(self, name: str, inputs: dict[str, Callable[[Any], None]]) -> None:
        message_block.__init__(self, name, inputs)
        self._running: set[str | None] = set()  # by name; None: those that do not tell it

    def start(self) -> bool:
        """Forget the blocks of an earlier run; called by GNU Radio."""
        self._running.clear()
        return super().start()

    def idle(self) -> bool:
        """Whether every block that has told its status has also told that it stopped."""
        return not self._running

    def track(self, status: dict[str, Any]) -> None:
        """Note whether the block that a status is of runs."""
        if status["state"] == "stopped":
            self._running.discard(status.get("block"))
        elif status["state"] == "running":
            self._running.add(status.get("block"))

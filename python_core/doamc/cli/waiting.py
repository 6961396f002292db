"""Waiting for a publisher that sends nothing, said once on stderr: stdout may be a pipe that somebody reads."""

import time
from typing import TYPE_CHECKING

from doamc.cli.remarks import tell

if TYPE_CHECKING:
    from doamc.estimates import Subscriber

#: of silence, before it is said; a reader looks at least so often, s
QUIET_S = 2.0


class Waiting:
    """Says that nothing has come yet, once, where nobody set a limit to the waiting.

    timeout_s: the limit, after which the command itself says so; None: it waits for ever.
    """

    def __init__(self, subscriber: "Subscriber", timeout_s: float | None = None) -> None:
        self._subscriber = subscriber
        self._due: float | None = time.monotonic() + QUIET_S if timeout_s is None else None

    def look(self, came: bool) -> None:
        """Take note of whether anything came that was waited for; ask at least every `QUIET_S`."""
        if came:
            self._due = None
        elif self._due is not None and time.monotonic() >= self._due:
            self._due = None
            why = trouble(self._subscriber) or "none so far; is it publishing?"
            tell(f"waiting for estimates from {self._subscriber.address}: {why}")


def trouble(subscriber: "Subscriber") -> str:
    """What is wrong with reading, in words; empty when nothing is."""
    if subscriber.refused:
        return f"refused {subscriber.refused} times; it asks for keys (--server-key, --keys), or for others than these"
    if subscriber.malformed:
        return f"unusable: {subscriber.fault}"
    return ""

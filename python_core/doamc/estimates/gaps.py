"""What a reader has missed of messages that are numbered."""


class Gaps:
    """Fed each ``seq``. received, lost: messages, and those missing before them; restarts: times it began anew."""

    def __init__(self) -> None:
        self.received = self.lost = self.restarts = 0
        self._last: int | None = None

    def take(self, seq: int) -> None:
        """Count a message."""
        if self._last is not None:
            self.lost += max(0, seq - self._last - 1)
            self.restarts += seq <= self._last
        self._last = seq
        self.received += 1

"""Browsers that listen: each with a bounded queue of its own, so that one that stalls holds up nobody."""

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Protocol

#: frames queued for one browser: about two seconds at the server's pace
QUEUE = 40
MAX_BROWSERS = 64


class Socket(Protocol):
    """What a browser writes to."""

    async def send_str(self, data: str) -> Any:
        """Send a text, waiting while the transport is full."""


class Browser:
    """One browser. `offer` never waits: with `queue` texts waiting, the oldest is dropped and counted."""

    def __init__(self, socket: Socket, queue: int = QUEUE) -> None:
        self.dropped = 0
        self.sent = 0
        self._socket = socket
        self._waiting: deque[str] = deque(maxlen=queue)
        self._some = asyncio.Event()

    def offer(self, text: str) -> None:
        """Queue a text."""
        self.dropped += len(self._waiting) == self._waiting.maxlen
        self._waiting.append(text)
        self._some.set()

    async def pump(self) -> None:
        """Send what is queued until cancelled; ends when the browser has gone."""
        told = 0
        with suppress(ConnectionError):
            while True:
                await self._some.wait()
                self._some.clear()
                while self._waiting:
                    await self._socket.send_str(self._waiting.popleft())
                    self.sent += 1
                if told != self.dropped:  # it reads again: say what it has missed
                    told = self.dropped
                    await self._socket.send_str(f'{{"type":"skipped","frames":{told}}}')


class Browsers:
    """All browsers."""

    def __init__(self) -> None:
        self._all: set[Browser] = set()

    def __len__(self) -> int:
        return len(self._all)

    def add(self, browser: Browser) -> None:
        """Let a browser hear what is broadcast."""
        self._all.add(browser)

    def remove(self, browser: Browser) -> None:
        """Forget a browser; again is harmless."""
        self._all.discard(browser)

    def broadcast(self, text: str) -> None:
        """Offer a text to all."""
        for browser in self._all:
            browser.offer(text)

    def counts(self) -> dict[str, int]:
        """Browsers connected, and frames that they have missed so far."""
        return {"clients": len(self._all), "dropped": sum(c.dropped for c in self._all)}

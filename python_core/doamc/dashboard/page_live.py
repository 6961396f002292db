"""What a page is told over a WebSocket of its own: a hello, then frames, to each browser at its own pace."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from aiohttp import web

from doamc.dashboard.browsers import QUEUE, Browser, Browsers
from doamc.dashboard.frames import as_text
from doamc.dashboard.receivers import Receiver

_log = logging.getLogger(__name__)


class PageFeed(Protocol):
    """What reads one receiver for a page."""

    receiver: Receiver

    def start(self) -> None:
        """Begin to read."""

    def close(self) -> None:
        """Stop reading; again is harmless."""

    def health(self, now: float) -> dict[str, Any]:
        """Counts and state."""


F = TypeVar("F", bound=PageFeed)


class PageLive(Generic[F]):
    """Feeds of all receivers, and the browsers that listen; one event loop.

    make: feed of a receiver. past, taken: what a feed has for a page that has just been opened, and since the last
    frame, lists by name. times: for the hello. frame_s, idle_s: least and greatest time between two frames.
    queue: frames that wait for one browser.
    """

    def __init__(
        self, receivers: list[Receiver], make: Callable[[Receiver], F], past: Callable[[F], dict[str, Any]],
        taken: Callable[[F], dict[str, Any]], times: Callable[[], dict[str, float]], frame_s: float, idle_s: float,
        queue: int = QUEUE,
    ) -> None:  # fmt: skip
        self.feeds: list[F] = []
        self.browsers = Browsers()
        self._receivers, self._frame_s, self._idle_s, self._queue = receivers, frame_s, idle_s, queue
        self._make, self._past, self._taken, self._times = make, past, taken, times
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Subscribe; `close` is owed even when it fails. Raises PublishError as `Subscriber` does."""
        for receiver in self._receivers:
            self.feeds.append(self._make(receiver))

    def start(self) -> None:
        """Read and send."""
        for feed in self.feeds:
            feed.start()
        self._task = asyncio.create_task(self._send())

    async def close(self) -> None:
        """Stop reading; again is harmless."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        feeds, self.feeds = self.feeds, []
        await asyncio.gather(*(asyncio.to_thread(feed.close) for feed in feeds))

    async def tell(self, socket: web.WebSocketResponse) -> None:
        """Greet a browser, then send what is broadcast."""
        browser = Browser(socket, self._queue)
        browser.offer(self._hello())
        self.browsers.add(browser)
        try:
            await browser.pump()
        finally:
            self.browsers.remove(browser)

    async def listen(self, socket: web.WebSocketResponse) -> None:
        """Pass over whatever a browser says."""
        async for _ in socket:
            pass

    def _hello(self) -> str:
        now, receivers = time.time(), []
        for feed in self.feeds:
            about: dict[str, Any] = {key: getattr(feed.receiver, key) for key in ("name", "connect", "heading_deg")}
            receivers.append(about | self._past(feed) | {"health": feed.health(now)})
        return as_text({"type": "hello", "time": now, **self._times(), "receivers": receivers})

    async def _send(self) -> None:
        sent = 0.0
        while True:
            await asyncio.sleep(self._frame_s)
            taken = [self._taken(feed) for feed in self.feeds]
            some = any(any(parts.values()) for parts in taken)
            if len(self.browsers) and (some or time.monotonic() - sent >= self._idle_s):
                sent, now = time.monotonic(), time.time()
                try:
                    receivers = [
                        parts | {"health": feed.health(now)} for feed, parts in zip(self.feeds, taken, strict=True)
                    ]
                    self.browsers.broadcast(as_text({"type": "frame", "time": now, "receivers": receivers}))
                except Exception as error:  # nothing that one receiver sends may end the page of the others
                    _log.error("a frame is left out: %s: %s", type(error).__name__, error)

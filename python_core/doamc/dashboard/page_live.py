"""What a page is told over its WebSocket: a hello, then frames, to each browser at its own pace."""

import asyncio
import json
import logging
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any, Generic, TypeVar

from aiohttp import web

from doamc.dashboard.browsers import QUEUE, Browser, Browsers
from doamc.dashboard.receiver_feed import ReceiverFeed
from doamc.dashboard.receivers import Receiver

#: least and greatest time between two frames, s
FRAME_S, IDLE_S = 0.05, 1.0
_ABOUT = ("name", "connect", "heading_deg", "east_m", "north_m")
_log = logging.getLogger(__name__)

F = TypeVar("F", bound=ReceiverFeed)


class PageLive(ABC, Generic[F]):
    """Feeds of all receivers, and the browsers that listen; one event loop.

    A page says what its feeds are, and what it has of a feed for a browser that has just come and for the next frame.
    """

    #: frames that wait for one browser
    queue = QUEUE

    def __init__(self, receivers: list[Receiver]) -> None:
        self.feeds: list[F] = []
        self.browsers = Browsers()
        self._receivers = receivers
        self._task: asyncio.Task[None] | None = None

    @abstractmethod
    def make(self, receiver: Receiver) -> F:
        """Feed of a receiver. Raises PublishError as `Subscriber` does."""

    @abstractmethod
    def past(self, feed: F) -> dict[str, Any]:
        """What a page that has just been opened is told of a feed."""

    @abstractmethod
    def taken(self, feed: F) -> dict[str, Any]:
        """What has come to a feed since the last call; a frame is due when any of it is not empty."""

    @abstractmethod
    def hello_more(self) -> dict[str, Any]:
        """What the hello says beside the receivers."""

    def frame_more(self) -> dict[str, Any]:
        """What a frame says beside the receivers."""
        return {}

    def open(self) -> None:
        """Subscribe; `close` is owed even when it fails. Raises PublishError as `Subscriber` does."""
        for receiver in self._receivers:
            self.feeds.append(self.make(receiver))

    def start(self) -> None:
        """Read and send."""
        for feed in self.feeds:
            feed.start()
        self._task = asyncio.create_task(self._send())

    async def run(self) -> None:
        """Send, once it is started, until cancelled."""
        if self._task is not None:
            await self._task

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
        browser = Browser(socket, self.queue)
        browser.offer(self.hello())
        self.browsers.add(browser)
        try:
            await browser.pump()
        finally:
            self.browsers.remove(browser)

    async def listen(self, socket: web.WebSocketResponse) -> None:
        """Pass over whatever a browser says."""
        async for _ in socket:
            pass

    def hello(self) -> str:
        """All that a page needs that has just been opened."""
        now, receivers = time.time(), []
        for feed in self.feeds:
            about: dict[str, Any] = {key: getattr(feed.receiver, key) for key in _ABOUT}
            receivers.append(about | self.past(feed) | {"health": feed.health(now)})
        return as_text({"type": "hello", "time": now, **self.hello_more(), "receivers": receivers})

    def frame(self, taken: list[dict[str, Any]]) -> str:
        """What was `taken` from each feed since the frame before, and its health."""
        now = time.time()
        receivers = [parts | {"health": feed.health(now)} for feed, parts in zip(self.feeds, taken, strict=True)]
        return as_text({"type": "frame", "time": now, **self.frame_more(), "receivers": receivers})

    async def _send(self) -> None:
        """Send a frame whenever something has come, not more often than `FRAME_S`, and every `IDLE_S` anyway."""
        sent = 0.0
        while True:
            await asyncio.sleep(FRAME_S)
            taken = [self.taken(feed) for feed in self.feeds]
            some = any(any(parts.values()) for parts in taken)
            if len(self.browsers) and (some or time.monotonic() - sent >= IDLE_S):
                sent = time.monotonic()
                try:
                    self.browsers.broadcast(self.frame(taken))
                except Exception as error:  # nothing that one receiver sends may end the page of the others
                    _log.error("a frame is left out: %s: %s", type(error).__name__, error)


def as_text(value: dict[str, Any]) -> str:
    """A message to browsers."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)

"""What the page "Band" is told over its WebSocket: a hello, then frames, to each browser at its own pace."""

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any

from aiohttp import web

from doamc.dashboard.band_feed import BandFeed
from doamc.dashboard.browsers import Browser, Browsers
from doamc.dashboard.frames import as_text
from doamc.dashboard.receivers import Receiver
from doamc.views.band import SHOWN_S, SILENT_S

_log = logging.getLogger(__name__)


class BandLive:
    """Feeds of all receivers, and the browsers that listen; one event loop.

    frame_s, idle_s: least and greatest time between two frames.
    """

    def __init__(self, receivers: list[Receiver], frame_s: float, idle_s: float) -> None:
        self.feeds: list[BandFeed] = []
        self.browsers = Browsers()
        self._receivers, self._frame_s, self._idle_s = receivers, frame_s, idle_s
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Subscribe; `close` is owed even when it fails. Raises PublishError as `Subscriber` does."""
        for receiver in self._receivers:
            self.feeds.append(BandFeed(receiver))

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
        browser = Browser(socket)
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
            signals, spectra = feed.past()
            about: dict[str, Any] = {key: getattr(feed.receiver, key) for key in ("name", "connect", "heading_deg")}
            receivers.append(about | {"signals": signals, "spectra": spectra, "health": feed.health(now)})
        times = {"time": now, "shown_s": SHOWN_S, "silent_s": SILENT_S}
        return as_text({"type": "hello", **times, "receivers": receivers})

    async def _send(self) -> None:
        sent = 0.0
        while True:
            await asyncio.sleep(self._frame_s)
            taken = [feed.take() for feed in self.feeds]
            some = any(signals or spectra for signals, spectra in taken)
            if len(self.browsers) and (some or time.monotonic() - sent >= self._idle_s):
                sent, now = time.monotonic(), time.time()
                try:
                    receivers = [
                        {"signals": signals, "spectra": spectra, "health": feed.health(now)}
                        for feed, (signals, spectra) in zip(self.feeds, taken, strict=True)
                    ]
                    self.browsers.broadcast(as_text({"type": "frame", "time": now, "receivers": receivers}))
                except Exception as error:  # nothing that one receiver sends may end the page of the others
                    _log.error("a frame is left out: %s: %s", type(error).__name__, error)

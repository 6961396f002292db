"""The server of the dashboard: the page, a WebSocket with what comes, and the last minute as files."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from pathlib import Path

from aiohttp import WSMsgType, web

from doamc.dashboard.band_live import BandLive
from doamc.dashboard.browsers import MAX_BROWSERS, Browser, Browsers
from doamc.dashboard.export import as_csv, as_json
from doamc.dashboard.feed import Feed
from doamc.dashboard.fix import locate
from doamc.dashboard.frames import frame, hello, recording_state
from doamc.dashboard.pages import PAGES, STATIC, page_text
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_live import SkyLive
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import DashboardError
from doamc.web.access import Access
from doamc.web.server import GuardedServer

#: least and greatest time between two frames, s
FRAME_S, IDLE_S = 0.05, 1.0
_COMMANDS = ("start", "stop")
_log = logging.getLogger(__name__)


class Dashboard:
    """Serves receivers on one address until closed; one event loop.

    host, port: where to listen, port 0 takes a free one (see `url`). token: what browsers must give, None for none,
    which only an address of this computer allows. recordings: folder of the recordings, None for no recording.
    Raises DashboardError on an address that other computers can reach without a token; PublishError on a malformed
    address of a receiver.
    """

    def __init__(
        self,
        receivers: list[Receiver],
        host: str = "127.0.0.1",
        port: int = 8050,
        token: str | None = None,
        recordings: str | Path | None = None,
    ) -> None:
        access = Access(host, token, "dashboard", DashboardError)
        routes = [
            *(web.get(page.path, self._page) for page in PAGES),
            web.get("/live", self._live),
            web.get("/live/band", self._live_band),
            web.get("/live/sky", self._live_sky),
            web.get("/export/{name:last-minute[.](?:json|csv)}", self._export),
            web.static("/static", STATIC),
        ]
        self._server = GuardedServer(access, port, routes)
        self.receivers = receivers
        self.recording = SwitchedRecorder(recordings)
        self.browsers = Browsers()
        self.band = BandLive(receivers, FRAME_S, IDLE_S)
        self.sky = SkyLive(receivers, FRAME_S, IDLE_S)
        self._feeds: list[Feed] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.port

    @property
    def url(self) -> str:
        """Address of the page, without the token."""
        return self._server.url()

    async def open(self) -> None:
        """Listen and read; `close` is owed even when it fails. Raises DashboardError when the port cannot be had."""
        for receiver in self.receivers:
            self._feeds.append(Feed(receiver, self.recording))
        self.band.open()
        self.sky.open()
        await self._server.open()
        for feed in self._feeds:
            feed.start()
        self.band.start()
        self.sky.start()
        self._task = asyncio.create_task(self._send())

    async def run(self) -> None:
        """Serve, once it is open, until cancelled."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Stop reading, end the recording, let the browsers go; again is harmless."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        feeds, self._feeds = self._feeds, []
        await asyncio.gather(*(asyncio.to_thread(feed.close) for feed in feeds))
        await self.band.close()
        await self.sky.close()
        self.recording.stop()
        await self._server.close()

    async def _send(self) -> None:
        """Send a frame whenever something has come, not more often than `FRAME_S`, and every `IDLE_S` anyway."""
        sent = 0.0
        while True:
            await asyncio.sleep(FRAME_S)
            taken = [feed.take() for feed in self._feeds]
            if len(self.browsers) and (any(views for views, _ in taken) or time.monotonic() - sent >= IDLE_S):
                sent = time.monotonic()
                try:
                    fixes = locate(self.receivers, [feed.latest for feed in self._feeds], time.time())
                    self.browsers.broadcast(frame(self._feeds, taken, fixes, self.recording))
                except Exception as error:  # nothing that one receiver sends may end the page of the others
                    _log.error("a frame is left out: %s: %s", type(error).__name__, error)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = next(p for p in PAGES if p.path == request.path)
        return web.Response(text=await asyncio.to_thread(page_text, page), content_type="text/html")

    async def _export(self, request: web.Request) -> web.Response:
        name, now = request.match_info["name"], time.time()
        kept = [(feed.receiver.name, feed.history.last(now)) for feed in self._feeds]
        make, kind = (as_json, "application/json") if name.endswith("json") else (as_csv, "text/csv")
        stem = time.strftime("doamc-%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {"Content-Disposition": f'attachment; filename="{stem}{Path(name).suffix}"'}
        body = await asyncio.to_thread(make, kept)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        self._room_for_one()
        return await self._server.converse(request, self._tell, self._listen)

    async def _live_band(self, request: web.Request) -> web.StreamResponse:
        self._room_for_one()
        return await self._server.converse(request, self.band.tell, self.band.listen)

    async def _live_sky(self, request: web.Request) -> web.StreamResponse:
        self._room_for_one()
        return await self._server.converse(request, self.sky.tell, self.sky.listen)

    def _room_for_one(self) -> None:
        if len(self.browsers) + len(self.band.browsers) + len(self.sky.browsers) >= MAX_BROWSERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_BROWSERS} browsers are connected already\n")

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        """Greet a browser, then send what is broadcast."""
        browser = Browser(socket)
        browser.offer(hello(self._feeds, self.recording))
        self.browsers.add(browser)
        try:
            await browser.pump()
        finally:
            self.browsers.remove(browser)

    async def _listen(self, socket: web.WebSocketResponse) -> None:
        """Obey ``{"recording": "start"}`` and ``{"recording": "stop"}``; pass over whatever else a browser says."""
        async for message in socket:
            if message.type != WSMsgType.TEXT:
                continue
            try:
                command = json.loads(message.data)
                wish = command.get("recording") if isinstance(command, dict) else None
            except ValueError:
                continue
            if wish in _COMMANDS:
                with suppress(DashboardError):
                    self.recording.start() if wish == "start" else self.recording.stop()
                self.browsers.broadcast(recording_state(self.recording))

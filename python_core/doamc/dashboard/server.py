"""The server of the dashboard: the page, a WebSocket with what comes, and the last minute as files."""

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from doamc.dashboard.band_live import BandLive
from doamc.dashboard.bearings_live import BearingsLive
from doamc.dashboard.browsers import MAX_BROWSERS
from doamc.dashboard.export import as_csv, as_json
from doamc.dashboard.page_live import PageLive
from doamc.dashboard.pages import PAGES, STATIC, page_text
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_live import SkyLive
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import DashboardError
from doamc.web.access import Access
from doamc.web.server import GuardedServer


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
        self.recording = SwitchedRecorder(recordings)
        self.bearings, self.band, self.sky = (
            BearingsLive(receivers, self.recording),
            BandLive(receivers),
            SkyLive(receivers),
        )
        lives: dict[str, PageLive[Any]] = {"/live": self.bearings, "/live/band": self.band, "/live/sky": self.sky}
        self._lives = list(lives.values())
        routes = [
            *(web.get(page.path, self._page) for page in PAGES),
            *(web.get(path, partial(self._live, live)) for path, live in lives.items()),
            web.get("/export/{name:last-minute[.](?:json|csv)}", self._export),
            web.static("/static", STATIC),
        ]
        self._server = GuardedServer(access, port, routes)

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
        for live in self._lives:
            live.open()
        await self._server.open()
        for live in self._lives:
            live.start()

    async def run(self) -> None:
        """Serve, once it is open, until cancelled."""
        await asyncio.gather(*(live.run() for live in self._lives))

    async def close(self) -> None:
        """Stop reading, end the recording, let the browsers go; again is harmless."""
        for live in self._lives:
            await live.close()
        self.recording.stop()
        await self._server.close()

    async def _page(self, request: web.Request) -> web.StreamResponse:
        page = next(p for p in PAGES if p.path == request.path)
        return web.Response(text=await asyncio.to_thread(page_text, page), content_type="text/html")

    async def _export(self, request: web.Request) -> web.Response:
        name, now = request.match_info["name"], time.time()
        kept = [(feed.receiver.name, feed.history.last(now)) for feed in self.bearings.feeds]
        make, kind = (as_json, "application/json") if name.endswith("json") else (as_csv, "text/csv")
        stem = time.strftime("doamc-%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {"Content-Disposition": f'attachment; filename="{stem}{Path(name).suffix}"'}
        body = await asyncio.to_thread(make, kept)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _live(self, live: PageLive[Any], request: web.Request) -> web.StreamResponse:
        if sum(len(one.browsers) for one in self._lives) >= MAX_BROWSERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_BROWSERS} browsers are connected already\n")
        return await self._server.converse(request, live.tell, live.listen)

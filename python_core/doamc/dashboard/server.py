"""The server of the dashboard: the page, a WebSocket with what comes, and the last minute as files."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET

from aiohttp import WSMsgType, web
from aiohttp.http_exceptions import HttpProcessingError

from doamc.dashboard.access import access_middleware, check_access
from doamc.dashboard.browsers import MAX_BROWSERS, Browser, Browsers
from doamc.dashboard.connections import Limited
from doamc.dashboard.export import as_csv, as_json
from doamc.dashboard.feed import Feed
from doamc.dashboard.fix import locate
from doamc.dashboard.frames import frame, hello, recording_state
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import DashboardError

STATIC = Path(__file__).parent / "static"
#: least and greatest time between two frames, s
FRAME_S, IDLE_S = 0.05, 1.0
#: a browser that does not answer is pinged for so long and half as long again, then disconnected
HEARTBEAT_S = 20.0
#: time that a connection may be idle between two requests, s
KEEP_ALIVE_S = 20.0
#: the system's own buffer of one browser, bytes: what it holds is late already
SEND_BUFFER = 1 << 17
_COMMANDS = ("start", "stop")
_log = logging.getLogger(__name__)
#: what aiohttp has to say of requests
_requests = logging.getLogger(f"{__name__}.requests")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a request failed by our fault: not by what was sent, nor because the browser left."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, ConnectionError))


_requests.addFilter(_is_ours)


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
        check_access(host, token)
        self.receivers, self.host, self.port = receivers, host, port
        self.recording = SwitchedRecorder(recordings)
        self.browsers = Browsers()
        self._token = token
        self._feeds: list[Feed] = []
        self._transports: set[asyncio.Transport] = set()
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Address of the page, without the token."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"

    async def open(self) -> None:
        """Listen and read; `close` is owed even when it fails. Raises DashboardError when the port cannot be had."""
        for receiver in self.receivers:
            self._feeds.append(Feed(receiver, self.recording))
        app = web.Application(middlewares=[access_middleware(self._token)], client_max_size=1 << 16)
        app.router.add_get("/", self._page)
        app.router.add_get("/live", self._live)
        app.router.add_get("/export/{name:last-minute[.](?:json|csv)}", self._export)
        app.router.add_static("/static", STATIC)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=KEEP_ALIVE_S, logger=_requests
        )
        await self._runner.setup()
        assert self._runner.server is not None
        loop = asyncio.get_running_loop()
        try:
            self._listening = await loop.create_server(Limited(self._runner.server), self.host, self.port)
        except (OSError, OverflowError) as error:
            raise DashboardError(f"cannot listen on {self.host}:{self.port}: {error}; take another --port") from error
        self.port = self._listening.sockets[0].getsockname()[1]
        for feed in self._feeds:
            feed.start()
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
        self.recording.stop()
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for transport in tuple(self._transports):
            transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

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
        return web.FileResponse(STATIC / "index.html")

    async def _export(self, request: web.Request) -> web.Response:
        name, now = request.match_info["name"], time.time()
        kept = [(feed.receiver.name, feed.history.last(now)) for feed in self._feeds]
        make, kind = (as_json, "application/json") if name.endswith("json") else (as_csv, "text/csv")
        stem = time.strftime("doamc-%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {"Content-Disposition": f'attachment; filename="{stem}{Path(name).suffix}"'}
        body = await asyncio.to_thread(make, kept)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if len(self.browsers) >= MAX_BROWSERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_BROWSERS} browsers are connected already\n")
        # uncompressed: some 80 kB a second are less trouble than the threads that would compress them
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=4096, compress=False)
        try:
            await socket.prepare(request)
        except ValueError as error:  # a key that is no base64
            raise web.HTTPBadRequest(text="expected a WebSocket's handshake\n") from error
        transport = request.transport
        if transport is None:  # the browser has left already
            return socket
        self._transports.add(transport)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        browser = Browser(socket)
        browser.offer(hello(self._feeds, self.recording))
        self.browsers.add(browser)
        pump = asyncio.create_task(browser.pump())
        listen = asyncio.create_task(self._listen(socket))
        try:
            await asyncio.wait({pump, listen}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.browsers.remove(browser)
            for task in (pump, listen):
                task.cancel()
            await asyncio.gather(pump, listen, return_exceptions=True)
            transport.abort()  # a stalled browser would not take a farewell either
            self._transports.discard(transport)
        return socket

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

"""A guarded HTTP server: who may come, how many, how long they may keep silent, and conversations over WebSockets."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from doamc.web.access import Access, access_middleware
from doamc.web.connections import Limited

#: a peer that does not answer is pinged for so long and half as long again, then disconnected
HEARTBEAT_S = 20.0
#: time that a connection may be idle between two requests, s
KEEP_ALIVE_S = 20.0
#: the system's own buffer of one WebSocket, bytes: what it holds is late already
SEND_BUFFER = 1 << 17
#: bytes that a peer may say at once, or post
_SAID, _POSTED = 4096, 1 << 16
#: what aiohttp has to say of requests
_requests = logging.getLogger(f"{__name__}.requests")


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a request failed by our fault: not by what was sent, nor because the peer left."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, (HttpProcessingError, ConnectionError))


_requests.addFilter(_is_ours)


class GuardedServer:
    """Serves routes on one address until closed; one event loop.

    port: 0 takes a free one, which is then known. access: who may read. option: that a person gives the port by.
    """

    def __init__(
        self, access: Access, port: int, routes: Iterable[web.AbstractRouteDef], option: str = "--port"
    ) -> None:
        self.access, self.port, self._option = access, port, option
        self._routes = tuple(routes)
        self._transports: set[asyncio.Transport] = set()
        self._runner: web.AppRunner | None = None
        self._listening: asyncio.Server | None = None

    def url(self, scheme: str = "http") -> str:
        """Address of the root, without the token."""
        host = self.access.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/"

    async def open(self) -> None:
        """Listen; `close` is owed even when it fails. Raises the error of `Access` when the port cannot be had."""
        app = web.Application(middlewares=[access_middleware(self.access)], client_max_size=_POSTED)
        app.add_routes(self._routes)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=1.0, keepalive_timeout=KEEP_ALIVE_S, logger=_requests
        )
        await self._runner.setup()
        assert self._runner.server is not None
        loop, host = asyncio.get_running_loop(), self.access.host
        try:
            self._listening = await loop.create_server(Limited(self._runner.server), host, self.port)
        except (OSError, OverflowError) as error:
            raise self.access.error(
                f"cannot listen on {host}:{self.port}: {error}; take another {self._option}"
            ) from error
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Let the peers go; again is harmless."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        for transport in tuple(self._transports):
            transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def converse(
        self, request: web.Request, *parts: Callable[[web.WebSocketResponse], Coroutine[Any, Any, None]]
    ) -> web.StreamResponse:
        """Make a WebSocket of a request, and run parts of a conversation side by side until the first of them ends."""
        # uncompressed: some 80 kB a second are less trouble than the threads that would compress them
        socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=_SAID, compress=False)
        try:
            await socket.prepare(request)
        except ValueError as error:  # a key that is no base64
            raise web.HTTPBadRequest(text="expected a WebSocket's handshake\n") from error
        transport = request.transport
        if transport is None:  # the peer has left already
            return socket
        self._transports.add(transport)
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        tasks = [asyncio.create_task(part(socket)) for part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            transport.abort()  # one that stalls would not take a farewell either
            self._transports.discard(transport)
        return socket

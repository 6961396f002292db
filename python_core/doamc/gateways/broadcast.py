"""Texts to every WebSocket that listens: the newest of each kind, in updates, and no client may hold up another."""

import asyncio
import threading
from contextlib import suppress

from aiohttp import web

from doamc.web.access import Access
from doamc.web.server import GuardedServer

#: time between two updates, s
PERIOD_S = 0.2
MAX_CLIENTS = 64
#: texts that may wait for a client when an update comes; who is further behind is disconnected
QUEUE = 128
#: kinds that wait for the next update; beyond that the oldest are left out
MAX_KINDS = 64
#: s that clients have to take what waits at the end
FAREWELL_S = 1.0


class Broadcast:
    """A WebSocket on any path of a port; what clients say is passed over. `put` from any thread, the rest in one loop.

    Of each kind of texts only the newest is sent, every `PERIOD_S` at most. Attributes: sent (texts handed to clients),
    dropped (clients that did not keep up).
    """

    def __init__(self, access: Access, port: int, option: str) -> None:
        self.sent = self.dropped = 0
        self._server = GuardedServer(access, port, [web.get("/{path:.*}", self._live)], option)
        self._lock = threading.Lock()
        self._newest: dict[float, list[str]] = {}  # in the order of their coming
        self._clients: dict[asyncio.Queue[str], asyncio.Task[None]] = {}
        self._updates: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Address to connect to, without the token."""
        return self._server.url("ws")

    @property
    def clients(self) -> int:
        """How many listen."""
        return len(self._clients)

    def put(self, kind: float, texts: list[str]) -> None:
        """Have texts sent with the next update, in the place of those of the same kind that wait."""
        with self._lock:
            self._newest.pop(kind, None)
            self._newest[kind] = texts
            if len(self._newest) > MAX_KINDS:
                del self._newest[next(iter(self._newest))]

    async def open(self) -> None:
        """Listen; `close` is owed even when it fails. Raises the error of `Access` when the port cannot be had."""
        await self._server.open()
        self._updates = asyncio.create_task(self._update())

    async def close(self) -> None:
        """Send what waits, for `FAREWELL_S` at most, and let the clients go; again is harmless."""
        if self._updates is not None:
            self._updates.cancel()
            self._updates = None
            self._send()
            with suppress(TimeoutError, asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.gather(*(queue.join() for queue in self._clients)), FAREWELL_S)
        await self._server.close()

    async def _update(self) -> None:
        while True:
            await asyncio.sleep(PERIOD_S)
            self._send()

    def _send(self) -> None:
        """Hand the newest texts to every client."""
        with self._lock:
            newest, self._newest = self._newest, {}
        texts = [text for kind in newest.values() for text in kind]
        for queue, task in tuple(self._clients.items()):
            if queue.qsize() > QUEUE:  # before this update: one alone may be longer
                del self._clients[queue]
                self.dropped += 1
                task.cancel()
                continue
            for text in texts:
                queue.put_nowait(text)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        if len(self._clients) >= MAX_CLIENTS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_CLIENTS} clients are connected already\n")
        return await self._server.converse(request, self._tell, self._pass_over)

    async def _tell(self, socket: web.WebSocketResponse) -> None:
        queue: asyncio.Queue[str] = asyncio.Queue()
        task = asyncio.current_task()
        assert task is not None
        self._clients[queue] = task
        try:
            with suppress(ConnectionError):
                while True:
                    await socket.send_str(await queue.get())
                    self.sent += 1
                    queue.task_done()
        finally:
            self._clients.pop(queue, None)

    async def _pass_over(self, socket: web.WebSocketResponse) -> None:
        async for _ in socket:
            pass

"""A guarded server with a page and a WebSocket, and requests as a browser or a tool makes them."""

import urllib.error
import urllib.request

from aiohttp import web

from doamc.errors import DashboardError
from doamc.web.access import Access
from doamc.web.background import Background
from doamc.web.server import GuardedServer


class Page:
    """`GuardedServer` in a thread: ``/`` says hello, ``/live`` says every text back; a context manager."""

    def __init__(self, host="127.0.0.1", token=None, **options):
        routes = [web.get("/", self._hello), web.get("/live", self._live)]
        self.server = GuardedServer(Access(host, token, "page", DashboardError, **options), 0, routes)

    def __enter__(self):
        self.background = Background(self.server)
        return self

    def __exit__(self, *exception):
        self.background.close()

    @property
    def port(self):
        return self.server.port

    @property
    def url(self):
        return self.server.url().replace("0.0.0.0", "127.0.0.1")

    async def _hello(self, request):
        return web.Response(text="hello")

    async def _live(self, request):
        return await self.server.converse(request, self._echo)

    async def _echo(self, socket):
        async for message in socket:
            await socket.send_str(message.data)


def get(url, **headers):
    """(status, headers, body) of a request that follows no redirect and keeps no cookie."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments):
            return None

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
    try:
        with opener.open(urllib.request.Request(url, headers=headers), timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()

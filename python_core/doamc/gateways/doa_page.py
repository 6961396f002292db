"""``/DOA_value.html``: the page that the Kraken App and other map tools fetch, CSV lines of the newest bearings."""

import threading
import time
from collections.abc import Callable

from aiohttp import web

from doamc.estimates.bearing import Bearing, Station
from doamc.estimates.kraken_csv import csv_lines
from doamc.estimates.outputs import BearingOutput
from doamc.web.access import Access
from doamc.web.background import Background
from doamc.web.server import GuardedServer

PATH = "/DOA_value.html"
#: s that lines stay when no newer ones come: longer than tools take from one fetch to the next
KEPT_S = 5.0
#: frequencies with lines at once; beyond that the oldest go
MAX_FREQUENCIES = 64


class DoaPage(BearingOutput):
    """Serves a line a source, of the newest estimate at every frequency that is received.

    Lines go when newer ones of their frequency come, and after `KEPT_S`: a page without emitters is empty. clock:
    monotonic time in s. Raises the error of `Access` when the port cannot be had.
    """

    def __init__(
        self, port: int, station: Station, access: Access, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(station, every=True)
        self._clock, self._lock = clock, threading.Lock()
        self._lines: dict[float, tuple[float, bytes]] = {}  # by frequency, in the order of their coming
        self._server = GuardedServer(access, port, [web.get(PATH, self._page)], "--doa-value")
        self._background = Background(self._server)

    @property
    def url(self) -> str:
        """Address of the page, without the token."""
        return self._server.url() + PATH[1:]

    def put(self, found: list[Bearing]) -> None:
        """Have these bearings on the page."""
        frequency_hz = found[0].frequency_hz
        with self._lock:
            self._lines.pop(frequency_hz, None)
            self._lines[frequency_hz] = self._clock(), csv_lines(found, self.station)
            if len(self._lines) > MAX_FREQUENCIES:
                del self._lines[next(iter(self._lines))]

    def body(self) -> bytes:
        """The page: whole lines, by frequency; empty when there is nothing to tell."""
        since = self._clock() - KEPT_S
        with self._lock:
            return b"".join(lines for _, (came, lines) in sorted(self._lines.items()) if came >= since)

    def close(self) -> None:
        """End the server."""
        self._background.close()

    async def _page(self, request: web.Request) -> web.Response:
        return web.Response(body=self.body(), content_type="text/html", charset="utf-8")

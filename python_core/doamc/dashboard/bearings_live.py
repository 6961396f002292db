"""What the page "Bearings" is told over its WebSocket, and the one wish that it has: to record."""

import json
import time
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web

from doamc.dashboard.feed import Feed
from doamc.dashboard.fix import locate
from doamc.dashboard.page_live import PageLive, as_text
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.errors import DashboardError
from doamc.views.health import SILENT_S

#: views of the last minute that a new page is given of each receiver
MAX_HISTORY = 1200
_COMMANDS = ("start", "stop")


class BearingsLive(PageLive[Feed]):
    """Estimates and couplings of all receivers, the crossings of their bearings, the recording; see `PageLive`."""

    def __init__(self, receivers: list[Receiver], recording: SwitchedRecorder) -> None:
        super().__init__(receivers)
        self._recording = recording

    def make(self, receiver: Receiver) -> Feed:
        """Feed of a receiver's estimates."""
        return Feed(receiver, self._recording)

    def past(self, feed: Feed) -> dict[str, Any]:
        """The last minute, and the coupling matrices."""
        kept = feed.history.last(time.time())
        thinned = list(reversed(kept[:: -(len(kept) // MAX_HISTORY + 1)]))  # always with the newest
        coupling, start = feed.couplings
        return {"views": [k.view for k in thinned], "coupling": coupling, "start": start}

    def taken(self, feed: Feed) -> dict[str, Any]:
        """Views since the last call, and the newest coupling among them."""
        views, coupling = feed.take()
        return {"views": views, "coupling": coupling}

    def hello_more(self) -> dict[str, Any]:
        """When a receiver counts as silent, and the recording."""
        return {"silent_s": SILENT_S, "recording": self._recording.state()}

    def frame_more(self) -> dict[str, Any]:
        """Where the bearings cross, and the recording."""
        fixes = locate(self._receivers, [feed.latest for feed in self.feeds], time.time())
        return {"fixes": fixes, "recording": self._recording.state()}

    async def listen(self, socket: web.WebSocketResponse) -> None:
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
                    self._recording.start() if wish == "start" else self._recording.stop()
                self.browsers.broadcast(as_text({"type": "recording", "recording": self._recording.state()}))

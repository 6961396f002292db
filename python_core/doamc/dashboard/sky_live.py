"""What the page "Sky" is told over its WebSocket."""

from typing import Any

from doamc.dashboard.page_live import PageLive
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_feed import SkyFeed

#: age from which an image is not of now, s: integrations may be long
SILENT_S = 60.0


class SkyLive(PageLive[SkyFeed]):
    """Images of all receivers; see `PageLive`."""

    #: of three images of 128 x 128 pixels, two megabytes
    queue = 8

    def make(self, receiver: Receiver) -> SkyFeed:
        """Feed of a receiver's images."""
        return SkyFeed(receiver)

    def past(self, feed: SkyFeed) -> dict[str, Any]:
        """The newest image of every imager."""
        return {"skies": feed.past()}

    def taken(self, feed: SkyFeed) -> dict[str, Any]:
        """Images since the last call."""
        return {"skies": feed.take()}

    def hello_more(self) -> dict[str, Any]:
        """When an image is not of now."""
        return {"silent_s": SILENT_S}

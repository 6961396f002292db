"""What the page "Sky" is told over its WebSocket."""

from doamc.dashboard.page_live import PageLive
from doamc.dashboard.receivers import Receiver
from doamc.dashboard.sky_feed import SkyFeed

#: frames that wait for one browser: of three images of 128 x 128 pixels, two megabytes
_QUEUE = 8
#: age from which an image is not of now, s: integrations may be long
SILENT_S = 60.0


class SkyLive(PageLive[SkyFeed]):
    """Images of all receivers; see `PageLive`."""

    def __init__(self, receivers: list[Receiver], frame_s: float, idle_s: float) -> None:
        super().__init__(
            receivers, SkyFeed, lambda feed: {"skies": feed.past()}, lambda feed: {"skies": feed.take()},
            lambda: {"silent_s": SILENT_S}, frame_s, idle_s, _QUEUE,
        )  # fmt: skip

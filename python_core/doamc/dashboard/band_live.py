"""What the page "Band" is told over its WebSocket."""

from doamc.dashboard.band_feed import BandFeed
from doamc.dashboard.page_live import PageLive
from doamc.dashboard.receivers import Receiver
from doamc.views.band import SHOWN_S, SILENT_S


class BandLive(PageLive[BandFeed]):
    """Signals and spectra of all receivers; see `PageLive`."""

    def __init__(self, receivers: list[Receiver], frame_s: float, idle_s: float) -> None:
        names = ("signals", "spectra")
        super().__init__(
            receivers, BandFeed, lambda feed: dict(zip(names, feed.past(), strict=True)),
            lambda feed: dict(zip(names, feed.take(), strict=True)),
            lambda: {"shown_s": SHOWN_S, "silent_s": SILENT_S}, frame_s, idle_s,
        )  # fmt: skip

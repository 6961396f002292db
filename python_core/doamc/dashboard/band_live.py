"""What the page "Band" is told over its WebSocket."""

from typing import Any

from doamc.dashboard.band_feed import BandFeed
from doamc.dashboard.page_live import PageLive
from doamc.dashboard.receivers import Receiver
from doamc.views.band import SHOWN_S, SILENT_S


class BandLive(PageLive[BandFeed]):
    """Signals and spectra of all receivers; see `PageLive`."""

    def make(self, receiver: Receiver) -> BandFeed:
        """Feed of a receiver's signals and spectra."""
        return BandFeed(receiver)

    def past(self, feed: BandFeed) -> dict[str, Any]:
        """All signals that are there, and the newest spectra."""
        signals, spectra = feed.past()
        return {"signals": signals, "spectra": spectra}

    def taken(self, feed: BandFeed) -> dict[str, Any]:
        """Signals and spectra since the last call."""
        signals, spectra = feed.take()
        return {"signals": signals, "spectra": spectra}

    def hello_more(self) -> dict[str, Any]:
        """How long a signal is shown, and when one counts as silent."""
        return {"shown_s": SHOWN_S, "silent_s": SILENT_S}

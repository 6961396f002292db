"""Compass sink: estimates as a rose with error-bar wedges."""

from typing import TYPE_CHECKING

from gr_doamc.views.qt_block import qt_block

if TYPE_CHECKING:
    from gr_doamc.views.qt_view import View


class compass_sink(qt_block):
    """Shows directions as a compass rose: a needle and a wedge of one standard deviation a source.

    A trail tells where they were: the newest at the rim, older ones further in. Colours stay with a source as far as
    it can be followed. Where estimates tell elevations, it is a sky plot: the zenith in the middle, the horizon at the
    rim, each source in the ellipse that holds it with 90 % probability. Message port ``estimates``: estimates. Message
    port ``status``: failures, with counters.

    Args:
        title: above the rose.
        convention: ``compass``, bearing clockwise from north, which is up, as long as the heading is known, and
            azimuth otherwise; or ``math``, azimuth counter-clockwise from +x, which is to the right.
        heading: true bearing of the array's +x axis, degrees; None for that of the estimates.
        history: s of stream time that the trail shows; 0 shows none.
        update_time: least time between two drawings, s.

    Raises ViewError when an argument is out of range or no Qt application runs.
    """

    def __init__(
        self, title: str = "", convention: str = "compass", heading: float | None = None, history: float = 10.0,
        update_time: float = 0.1,
    ) -> None:  # fmt: skip
        from doamc.errors import ViewError
        from doamc.views.convention import Convention

        self._title, self._convention, self._history = title, Convention(convention, heading), float(history)
        self._update_time = float(update_time)
        if not self._history >= 0:
            raise ViewError(f"expected a history >= 0 s, found {history!r}")
        qt_block.__init__(self, "compass_sink", self._update_time)

    def make_view(self) -> "View":
        """The widget."""
        from gr_doamc.views.qt_compass import CompassView

        return CompassView(self._title, self._convention, self._history, self._update_time)

    def set_heading(self, heading: float | None) -> None:
        """Turn the rose: true bearing of the array's +x axis, degrees, or None; from the thread of the window."""
        from doamc.views.convention import Convention

        self.view.convention = Convention(self.view.convention.kind, heading)
        self.view.update()

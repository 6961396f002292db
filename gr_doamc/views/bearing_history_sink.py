"""Bearing history sink: directions against time, with error bars."""

from typing import TYPE_CHECKING

from gr_doamc.views.qt_block import qt_block

if TYPE_CHECKING:
    from gr_doamc.views.qt_view import View


class bearing_history_sink(qt_block):
    """Shows directions against stream time: a dot with its error bar for each source of each estimate.

    Colours stay with a source as far as it can be followed. Message port ``estimates``: estimates. Message port
    ``status``: failures, with counters.

    Args:
        title: above the plot.
        span: stream time shown, s.
        autoscale: fit the angles shown to the estimates, or else show those from ymin to ymax.
        ymin: lowest angle, degrees.
        ymax: highest angle, degrees.
        convention: ``compass``, bearing clockwise from north as long as the heading is known, and
            azimuth otherwise; or ``math``, azimuth counter-clockwise from +x.
        heading: true bearing of the array's +x axis, degrees; None for that of the estimates.
        update_time: least time between two drawings, s.

    Raises ViewError when an argument is out of range or no Qt application runs.
    """

    def __init__(
        self, title: str = "", span: float = 30.0, autoscale: bool = True, ymin: float = -90.0, ymax: float = 90.0,
        convention: str = "compass", heading: float | None = None, update_time: float = 0.1,
    ) -> None:  # fmt: skip
        from doamc.errors import ViewError
        from doamc.views.convention import Convention

        self._title, self._convention, self._span = title, Convention(convention, heading), float(span)
        self._limits = None if autoscale else (float(ymin), float(ymax))
        self._update_time = float(update_time)
        if not self._span > 0 or not ymin < ymax:
            raise ViewError(f"expected a span > 0 s and ymin < ymax, found {span!r}, {ymin!r} and {ymax!r}")
        qt_block.__init__(self, "bearing_history_sink", self._update_time)

    def make_view(self) -> "View":
        """The widget."""
        from gr_doamc.views.qt_history import HistoryView

        return HistoryView(self._title, self._convention, self._span, self._limits, self._update_time)

    def set_span(self, span: float) -> None:
        """Change the stream time shown, s; from the thread of the window."""
        self.view.span = max(1e-3, float(span))
        self.view.update()

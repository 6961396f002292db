"""Band sink: spectrum, waterfall and bearings of all signals of a band."""

from typing import TYPE_CHECKING, Any

import pmt

from gr_doamc.runtime.message_block import guarded
from gr_doamc.views.qt_block import qt_block

if TYPE_CHECKING:
    from gr_doamc.views.qt_view import View


class band_sink(qt_block):
    """Shows a band: its spectrum over the noise floor, its waterfall, and bearing against frequency.

    Signals are coloured by their direction: stripes in the spectrum, bars with one standard deviation to either side
    among the bearings, and a trail of where they were. The wheel zooms, a double click shows all.
    Message port ``signals``: signals, of a signal_finder. Message port ``spectrum``: its spectra. Message port
    ``status``: failures, with counters.

    Args:
        title: above the plots.
        convention: ``compass``, bearing clockwise from north as long as the heading is known, and azimuth otherwise; or
            ``math``, azimuth counter-clockwise from +x.
        heading: true bearing of the array's +x axis, degrees; None for that of the signals.
        trail: s of stream time for which places of signals are seen; 0 for none.
        update_time: least time between two drawings, s.

    Raises ViewError when an argument is out of range or no Qt application runs.
    """

    def __init__(
        self, title: str = "", convention: str = "compass", heading: float | None = None, trail: float = 30.0,
        update_time: float = 0.1,
    ) -> None:  # fmt: skip
        from doamc.errors import ViewError
        from doamc.views.convention import Convention

        self._title, self._convention, self._trail = title, Convention(convention, heading), float(trail)
        self._update_time = float(update_time)
        if not self._trail >= 0:
            raise ViewError(f"expected a trail >= 0 s, found {trail!r}")
        inputs = {"signals": self._on_signal, "spectrum": self._on_spectrum}
        qt_block.__init__(self, "band_sink", self._update_time, inputs)

    def make_view(self) -> "View":
        """The widget."""
        from gr_doamc.views.qt_band import BandView

        return BandView(self._title, self._convention, self._trail, self._update_time)

    def set_heading(self, heading: float | None) -> None:
        """Turn the bearings: true bearing of the array's +x axis, degrees, or None; from the thread of the window."""
        from doamc.views.convention import Convention

        self.view.convention = Convention(self.view.convention.kind, heading)
        self.view.update()

    @guarded
    def _on_signal(self, message: Any) -> None:
        from doamc.views.band_reading import read_signal

        self.view.put(read_signal(pmt.to_python(message)))
        self.counters["shown"] += 1

    @guarded
    def _on_spectrum(self, message: Any) -> None:
        from doamc.views.band_reading import read_spectrum

        self.view.put(read_spectrum(pmt.to_python(message)))
        self.counters["shown"] += 1

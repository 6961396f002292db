"""Coupling matrix sink: estimated mutual coupling as heat maps."""

from typing import TYPE_CHECKING

from gr_doamc.views.qt_block import qt_block

if TYPE_CHECKING:
    from gr_doamc.views.qt_view import View


class coupling_matrix_sink(qt_block):
    """Shows the estimated coupling matrix as two heat maps, magnitude and phase.

    Message port ``estimates``: estimates; those of a method that gives no coupling say so. Message port ``status``:
    failures, with counters.

    Args:
        title: above the maps.
        floor_db: least magnitude shown, dB; phases of what is below are left blank.
        update_time: least time between two drawings, s.

    Raises ViewError when an argument is out of range or no Qt application runs.
    """

    def __init__(self, title: str = "", floor_db: float = -30.0, update_time: float = 0.1) -> None:
        from doamc.errors import ViewError

        self._title, self._floor_db, self._update_time = title, float(floor_db), float(update_time)
        if not self._floor_db < 0:
            raise ViewError(f"expected a floor_db < 0 dB, found {floor_db!r}")
        qt_block.__init__(self, "coupling_matrix_sink", self._update_time)

    def make_view(self) -> "View":
        """The widget."""
        from gr_doamc.views.qt_matrix import MatrixView

        return MatrixView(self._title, self._floor_db, self._update_time)

"""Base of the Qt sinks: a block whose messages go to a widget. Qt is loaded when a sink is made, not before."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pmt

from doamc.errors import ViewError
from gr_doamc.runtime.message_block import guarded, message_block

if TYPE_CHECKING:
    from gr_doamc.views.qt_view import View


def require_application() -> None:
    """Raise ViewError unless a Qt application runs: Qt itself would end the process."""
    from gr_doamc.views.qt_binding import NO_APPLICATION, QtWidgets

    if QtWidgets.QApplication.instance() is None:
        raise ViewError(NO_APPLICATION)


class qt_block(message_block):
    """A sink for estimates, or for what comes to other `inputs`.

    Its subclass makes the widget in `make_view`, after the arguments were checked.
    """

    def __init__(self, name: str, update_time: float, inputs: dict[str, Callable[[Any], None]] | None = None) -> None:
        message_block.__init__(self, name, inputs or {"estimates": self._on_estimate})
        self.counters["shown"] = 0
        if not update_time > 0:
            raise ViewError(f"expected an update_time > 0 s, found {update_time!r}")
        require_application()
        self.view: View = self.make_view()
        self.view.report = self.failed

    def make_view(self) -> "View":
        """The widget."""
        raise NotImplementedError

    def qwidget(self) -> "View":
        """The widget, to be put into a layout; the block keeps it, too."""
        return self.view

    @guarded
    def _on_estimate(self, message: Any) -> None:
        from doamc.views.reading import read_estimate

        self.view.put(read_estimate(pmt.to_python(message)))
        self.counters["shown"] += 1

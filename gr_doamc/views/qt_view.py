"""Base of the Qt views: a widget that takes readings from any thread and draws them at its own pace.

The thread of a message handler leaves a reading in a bounded inbox and, when it was empty, emits a signal; Qt carries
that to the thread of the widget, which empties the inbox after `update_time` at the soonest. A window that is busy or
hidden thus holds up nobody and keeps no more than the inbox. When no reading comes for `SILENT_S`, the view says so.
"""

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from doamc.views.health import SILENT_S
from gr_doamc.views.qt_binding import QAction, Qt, QtCore, QtGui, QtWidgets, Signal

INBOX = 500
MARGIN = 8
#: time between two looks at whether readings still come, ms
_LOOK_MS = 1000


class View(QtWidgets.QWidget):
    """A titled widget that shows readings; context menu: hold, save the picture, and what `actions` adds.

    title: above the plot, none if empty. update_time: least time between two drawings, s.
    """

    arrived = Signal()
    what = "estimate"  #: that a view waits for, in words

    def __init__(self, title: str = "", update_time: float = 0.1) -> None:
        super().__init__()
        self.title = title
        self._period_ms = round(1e3 * update_time)
        self._inbox: deque[Any] = deque(maxlen=INBOX)
        self._lock = threading.Lock()
        self._told = False
        self._drawn = -1e9
        self._came: float | None = None
        #: monotonic time, s
        self.clock: Callable[[], float] = time.monotonic
        self._look = QtCore.QTimer(self)
        self._look.timeout.connect(self._say_silence)
        self._look.start(_LOOK_MS)
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.take_in)
        self.arrived.connect(self._wake, Qt.ConnectionType.QueuedConnection)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 200)
        self.held = False
        #: told of what goes wrong in drawing: an exception that Qt gets to see ends the process
        self.report: Callable[[Exception], None] = traceback.print_exception
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        hold = self.add_action("Hold", self._hold)
        hold.setCheckable(True)
        self.add_action("Save picture…", self._ask_and_save)

    def put(self, reading: Any) -> None:
        """Have a reading shown soon; for any thread, never waits for the drawing."""
        with self._lock:
            self._inbox.append(reading)
            self._came = self.clock()
            told, self._told = self._told, True
        if not told:
            self.arrived.emit()

    def take_in(self) -> None:
        """Empty the inbox and draw; called in the thread of the widget."""
        with self._lock:
            readings = list(self._inbox)
            self._inbox.clear()
            self._told = False
        self._drawn = time.monotonic()
        if self.held:
            return
        try:
            for reading in readings:
                self.show_reading(reading)
        except Exception as error:
            self.report(error)
        self.update()

    def silence_s(self) -> float:
        """Time since the newest reading came, where that is longer than `SILENT_S`; else, and while held, 0."""
        age = 0.0 if self._came is None or self.held else self.clock() - self._came
        return age if age > SILENT_S else 0.0

    def show_reading(self, reading: Any) -> None:
        """Take one reading, of the kind that is put, into what is drawn."""
        raise NotImplementedError

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Draw into an area below the title."""
        raise NotImplementedError

    def add_action(self, text: str, call: Any) -> QAction:
        """Add a line to the context menu."""
        action = QAction(text, self)
        action.triggered.connect(call)
        self.addAction(action)
        return action

    def sizeHint(self) -> QtCore.QSize:
        """Size asked for, like that of GNU Radio's own plots."""
        return QtCore.QSize(500, 400)

    def paintEvent(self, event: Any) -> None:
        """Called by Qt."""
        painter = QtGui.QPainter(self)
        try:
            painter.setRenderHints(QtGui.QPainter.RenderHint.Antialiasing | QtGui.QPainter.RenderHint.TextAntialiasing)
            painter.fillRect(self.rect(), self.palette().window())
            area = self.area()
            if self.title:
                painter.setFont(self.sized_font(1.2, bold=True))
                painter.setPen(self.ink)
                title = QtCore.QRectF(MARGIN, 2, self.width() - 2 * MARGIN, area.top() - 2)
                painter.drawText(title, Qt.AlignmentFlag.AlignCenter, self.title)
            painter.setFont(self.font())
            self.draw(painter, area)
            if self.silence_s():
                self._draw_silence(painter)
        except Exception as error:
            self.report(error)
        finally:
            painter.end()

    def _draw_silence(self, painter: QtGui.QPainter) -> None:
        """A line at the lower edge, over whatever is there."""
        high = 1.4 * QtGui.QFontMetricsF(self.font()).height()
        line = QtCore.QRectF(0, self.height() - high, self.width(), high)
        painter.fillRect(line, self.palette().window())
        painter.setFont(self.font())
        painter.setPen(self.ink)
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, f"no {self.what} for {self.silence_s():.0f} s")

    def area(self) -> QtCore.QRectF:
        """What is left below the title."""
        top = 1.5 * QtGui.QFontMetricsF(self.sized_font(1.2, bold=True)).height() if self.title else MARGIN
        return QtCore.QRectF(MARGIN, top, self.width() - 2 * MARGIN, self.height() - top - MARGIN)

    @property
    def ink(self) -> QtGui.QColor:
        """Colour of text and axes, from the theme."""
        return self.palette().color(QtGui.QPalette.ColorRole.WindowText)

    def faint(self, alpha: float) -> QtGui.QColor:
        """The colour of text, transparent, for grids and marks."""
        colour = QtGui.QColor(self.ink)
        colour.setAlphaF(alpha)
        return colour

    def sized_font(self, scale: float, bold: bool = False) -> QtGui.QFont:
        """The font of the widget, larger or smaller."""
        font = QtGui.QFont(self.font())
        font.setPointSizeF(max(6.0, font.pointSizeF() * scale))
        font.setBold(bold)
        return font

    def _wake(self) -> None:
        if not self._timer.isActive():
            since = round(1e3 * (time.monotonic() - self._drawn))
            self._timer.start(max(0, self._period_ms - since))

    def _say_silence(self) -> None:
        if self.silence_s():
            self.update()

    def _hold(self, held: bool) -> None:
        self.held = held

    def _ask_and_save(self) -> None:
        path, _ = QtWidgets.QFileDialog.getSaveFileName(self, "Save picture", "", "Pictures (*.png *.jpg)")
        if path and not self.grab().save(path):
            QtWidgets.QMessageBox.warning(self, "Save picture", f"{path} cannot be written")

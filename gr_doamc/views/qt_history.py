"""Bearings against time: a dot an estimate and source, with its error bar."""

import math
from collections import deque

from doamc.views.convention import Convention
from doamc.views.numbering import SourceNumbering
from doamc.views.palette import colour_of
from doamc.views.reading import Reading
from gr_doamc.views.qt_axes import LEFT_END, Axes, axes_frame, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_view import View

#: points kept, whatever the time that is shown
MOST = 5000
#: bars that are longer, in degrees, do not set the scale
LONGEST = 20.0
#: an axis that begins above this is one of Unix time, and is counted from its first estimate
UNIX_S = 1e8


class HistoryView(View):
    """The newest `span` seconds of stream time; the angles of all, or those between two limits.

    convention: of angles. span: s. limits: lowest and highest angle in degrees, None fits them to what is there.
    """

    def __init__(
        self, title: str, convention: Convention, span: float, limits: tuple[float, float] | None, update_time: float
    ) -> None:
        super().__init__(title, update_time)
        self.convention, self.span, self.limits = convention, span, limits
        #: of the newest estimate, where the orientation may be told
        self.shown = convention
        #: time in s, angle as it is shown and standard deviation in degrees, number of the source
        self.points: deque[tuple[float, float, float, int]] = deque(maxlen=MOST)
        self._numbering = SourceNumbering()
        self._origin: float | None = None
        self._newest = -math.inf
        self.add_action("Clear", self.clear)

    def clear(self) -> None:
        """Forget what was shown."""
        self.points.clear()
        self._origin, self._newest = None, -math.inf
        self.update()

    def show_reading(self, reading: Reading) -> None:
        """Add the sources of a reading; a time long before the newest, or angles of another kind, begin anew."""
        shown = self.convention.of(reading.heading_deg)
        turned, self.shown = shown.is_compass != self.shown.is_compass, shown
        if self._origin is None or turned or reading.time_s < self._newest + self._origin - self.span:
            self.clear()
            self._origin = reading.time_s if reading.time_s > UNIX_S else 0.0
        time_s = reading.time_s - self._origin
        self._newest = max(self._newest, time_s)
        numbers = self._numbering.assign(reading.time_s, reading.azimuth_deg)
        for number, azimuth, std in zip(numbers, reading.azimuth_deg, reading.std_deg, strict=True):
            self.points.append((time_s, float(shown.shown_deg(azimuth)), float(std), number))
        while self.points and self.points[0][0] < self._newest - self.span:
            self.points.popleft()

    def axes(self) -> Axes:
        """The frame on the screen and the values at its sides."""
        begin = max(self._newest - self.span, 0.0) if math.isfinite(self._newest) else 0.0
        if self.points:
            begin = max(begin, min(self.points[0][0], self._newest - self.span / 20))
        room = self.area().adjusted(0, 1.3 * self.fontMetrics().height(), 0, 0)
        return Axes(axes_frame(room, self.fontMetrics()), (begin, begin + self.span), self._angles())

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Axes, error bars, dots, legend."""
        axes = self.axes()
        names = ("time (s)", f"{self.shown.quantity} (deg)")
        axes.draw(painter, self.ink, self.faint(0.25), self.palette().base(), names)
        if not self.points:
            text_at(painter, self.faint(0.6), axes.frame.center(), "waiting for estimates")
        painter.save()
        painter.setClipRect(axes.frame)
        for time_s, angle, std, number in self.points:
            if std > 0:
                colour = QtGui.QColor(colour_of(number))
                colour.setAlphaF(0.45)
                painter.setPen(QtGui.QPen(colour, 1.4, cap=Qt.PenCapStyle.FlatCap))
                painter.drawLine(axes.at(time_s, angle - std), axes.at(time_s, angle + std))
        painter.setPen(Qt.PenStyle.NoPen)
        for time_s, angle, _, number in self.points:
            painter.setBrush(QtGui.QColor(colour_of(number)))
            painter.drawEllipse(axes.at(time_s, angle), 2.6, 2.6)
        painter.restore()
        self._draw_legend(painter, axes.frame)

    def _angles(self) -> tuple[float, float]:
        """Limits: whole tens around all dots and bars, without the bars that are too long."""
        if self.limits is not None:
            return self.limits
        if not self.points:
            return (0.0, 360.0) if self.shown.is_compass else (-90.0, 90.0)
        ends = [a + sign * (s if s < LONGEST else 0.0) for _, a, s, _ in self.points for sign in (-1, 1)]
        return 10.0 * math.floor(min(ends) / 10 - 0.1), 10.0 * math.ceil(max(ends) / 10 + 0.1)

    def _draw_legend(self, painter: QtGui.QPainter, frame: QtCore.QRectF) -> None:
        right = frame.right()
        metrics = painter.fontMetrics()
        above = QtCore.QPointF(frame.left(), frame.top() - 0.75 * metrics.height())
        text_at(painter, self.faint(0.65), above, self.shown.orientation, LEFT_END)
        for number in sorted({n for *_, n in self.points}, reverse=True):
            text = f"source {number + 1}"
            right -= metrics.horizontalAdvance(text) + 24
            at = QtCore.QPointF(right, frame.top() - 0.75 * metrics.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QtGui.QColor(colour_of(number)))
            painter.drawEllipse(at, 4, 4)
            text_at(painter, self.ink, at + QtCore.QPointF(10, 0), text, LEFT_END)

"""Axes of the Qt views: ticks at round numbers, a frame with a grid, text at a point."""

import math
from dataclasses import dataclass

from gr_doamc.views.qt_binding import Qt, QtCore, QtGui

#: which part of a text lies at a point, as a share of its width
LEFT_END, MIDDLE, RIGHT_END = 0.0, 0.5, 1.0


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """At most `most` (>= 2) multiples of 1, 2, 5 or 10 times a power of ten between two limits, and of 15 or 30."""
    span = high - low
    power = 10.0 ** math.floor(math.log10(span / most))
    steps = [s * power for s in (1, 2, 5, 10, 20)]
    if span > 60:  # of angles
        steps = [10.0, 15.0, 30.0, 45.0, 60.0, 90.0, 180.0, *(s for s in steps if s > 180)]
    step = next(s for s in steps if math.floor(high / s + 1e-9) - math.ceil(low / s - 1e-9) < most)
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def label(value: float) -> str:
    """A tick in words, without noise of rounding."""
    return f"{round(value, 9):g}"


@dataclass(frozen=True)
class Axes:
    """A frame on the screen and the values at its sides."""

    frame: QtCore.QRectF
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> QtCore.QPointF:
        """Point on the screen of a value."""
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return QtCore.QPointF(
            self.frame.left() + across * self.frame.width(), self.frame.bottom() - up * self.frame.height()
        )

    def draw(
        self, painter: QtGui.QPainter, ink: QtGui.QColor, grid: QtGui.QColor, base: QtGui.QBrush,
        names: tuple[str, str],
    ) -> None:  # fmt: skip
        """Background, dotted grid, ticks and the names of both axes; below one without a name there are no numbers."""
        frame, metrics = self.frame, painter.fontMetrics()
        painter.fillRect(frame, base)
        high = metrics.height()
        for tick in round_ticks(*self.x, max(2, int(frame.width() / (7 * metrics.averageCharWidth())))):
            point = self.at(tick, self.y[0])
            dotted(painter, grid, point, QtCore.QPointF(point.x(), frame.top()))
            if names[0]:
                text_at(painter, ink, QtCore.QPointF(point.x(), frame.bottom() + 0.7 * high), label(tick))
        for tick in round_ticks(*self.y, max(2, int(frame.height() / (1.9 * high)))):
            point = self.at(self.x[0], tick)
            dotted(painter, grid, point, QtCore.QPointF(frame.right(), point.y()))
            text_at(painter, ink, point - QtCore.QPointF(5, 0), label(tick), RIGHT_END)
        painter.setPen(QtGui.QPen(ink, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        text_at(painter, ink, QtCore.QPointF(frame.center().x(), frame.bottom() + 1.8 * high), names[0])
        painter.save()
        painter.translate(frame.left() - 5 - 4.5 * metrics.averageCharWidth() - 0.6 * high, frame.center().y())
        painter.rotate(-90)
        text_at(painter, ink, QtCore.QPointF(0, 0), names[1])
        painter.restore()


def axes_frame(area: QtCore.QRectF, metrics: QtGui.QFontMetrics) -> QtCore.QRectF:
    """Where the frame of `Axes` goes in an area, so that ticks and names find room."""
    left, below = 5 + 4.5 * metrics.averageCharWidth() + 1.2 * metrics.height(), 2.4 * metrics.height()
    return area.adjusted(left, 2, -2 * metrics.averageCharWidth(), -below)


def dotted(painter: QtGui.QPainter, colour: QtGui.QColor, a: QtCore.QPointF, b: QtCore.QPointF) -> None:
    """A grid line."""
    painter.setPen(QtGui.QPen(colour, 1, Qt.PenStyle.DotLine))
    painter.drawLine(a, b)


def text_at(
    painter: QtGui.QPainter, colour: QtGui.QColor, point: QtCore.QPointF, text: str,
    part: float = MIDDLE,
) -> None:  # fmt: skip
    """Text with its middle or an end at a point; vertically centred on it."""
    metrics = QtGui.QFontMetricsF(painter.font())
    width = metrics.horizontalAdvance(text) + 2
    painter.setPen(colour)
    box = QtCore.QRectF(point.x() - part * width, point.y() - metrics.height() / 2, width, metrics.height())
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip, text)

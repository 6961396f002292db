"""The newest spectrum of a band, and those before it as a waterfall."""

import math

import numpy as np

from doamc.home import settle_matplotlib
from doamc.views.palette import MAGNITUDE_MAP
from doamc.views.spectrum_ring import SpectrumRing
from gr_doamc.views.qt_axes import RIGHT_END, Axes, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui

HELD = 40  #: spectra of which the greatest levels are shown


def draw_spectrum(
    painter: QtGui.QPainter, axes: Axes, ring: SpectrumRing, ink: QtGui.QColor, held: QtGui.QColor, newest: QtGui.QColor
) -> None:
    """The newest spectrum, its noise floor dashed in ink, and the greatest levels of late."""
    shown = ring.newest
    if shown is None:
        return
    painter.save()
    painter.setClipRect(axes.frame)
    greatest = ring.levels()[:HELD].max(0)
    pens = [
        (greatest, QtGui.QPen(held, 1)),
        (shown.power_dbfs, QtGui.QPen(newest, 1.4)),
    ]
    if shown.floor_dbfs is not None:
        pens.append((shown.floor_dbfs, QtGui.QPen(ink, 1.2, Qt.PenStyle.DashLine)))
    for levels, pen in pens:
        painter.setPen(pen)
        at = shown.low_hz + shown.step_hz * (np.arange(len(levels)) + 0.5)
        line = [axes.at(float(f) / 1e6, float(v)) for f, v in zip(at, levels, strict=True)]
        painter.drawPolyline(QtGui.QPolygonF(line))
    painter.restore()


class Waterfall:
    """Draws the levels of spectra by colours, the newest above."""

    def __init__(self) -> None:
        settle_matplotlib()
        from matplotlib import colormaps  # late: as for matrices

        red, green, blue = (colormaps[MAGNITUDE_MAP](np.linspace(0, 1, 256), bytes=True)[:, k] for k in range(3))
        self._table = 0xFF000000 | red.astype(np.uint32) << 16 | green.astype(np.uint32) << 8 | blue

    def draw(
        self, painter: QtGui.QPainter, axes: Axes, ring: SpectrumRing, ink: QtGui.QColor, base: QtGui.QBrush
    ) -> None:
        """All of a ring, with ages at the side in ink, on a base where there is nothing yet."""
        frame, newest = axes.frame, ring.newest
        painter.fillRect(frame, base)
        if newest is not None:
            levels = ring.levels()
            step = max(1, levels.shape[1] // max(1, round(frame.width())))  # the greatest, not every other one
            levels = np.maximum.reduceat(levels, np.arange(0, levels.shape[1], step), 1)
            low, high = ring.range_dbfs
            share = np.clip((levels - low) / (high - low), 0, 1)
            pixels = np.ascontiguousarray(self._table[np.round(255 * share).astype(np.uint8)], np.uint32)
            rows, wide = pixels.shape
            image = QtGui.QImage(pixels.tobytes(), wide, rows, 4 * wide, QtGui.QImage.Format.Format_RGB32)
            left = axes.at(newest.low_hz / 1e6, 0.0)
            right = axes.at((newest.low_hz + step * wide * newest.step_hz) / 1e6, float(rows))
            painter.save()
            painter.setClipRect(frame)
            painter.drawImage(QtCore.QRectF(left, right), image)
            painter.restore()
            for part in (0.0, 0.25, 0.5, 0.75, 1.0):
                age = ring.age_s(round(part * (ring.rows - 1)))
                if not math.isnan(age):
                    half = painter.fontMetrics().height() / 2  # the first and the last stand within the frame
                    y = frame.top() + half + part * (frame.height() - 2 * half)
                    point = QtCore.QPointF(frame.left() - 5, y)
                    text_at(painter, ink, point, "now" if part == 0 else f"-{age:.0f} s", RIGHT_END)
        painter.setPen(QtGui.QPen(ink, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)

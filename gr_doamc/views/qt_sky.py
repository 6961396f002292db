"""Sky plot in Qt: the zenith in the middle of the rose; azimuth by elevation where something is below the horizon."""

import math
from typing import TYPE_CHECKING

import numpy as np

from doamc.views.convention import Convention
from doamc.views.palette import colour_of
from doamc.views.reading import Reading
from doamc.views.sky_ellipse import sky_ellipse, unrolled
from gr_doamc.views.qt_axes import Axes, axes_frame, text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_rose import RoseView

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: lines of text that stand below a plot of azimuth by elevation
_BELOW = 4.0


class PolarSky:
    """The rose as the sky: the zenith in its middle, the horizon at its rim, as far from it as on the sky."""

    numbers_beside = True

    def __init__(self, rose: RoseView) -> None:
        self._rose = rose

    def draw_face(self, painter: QtGui.QPainter) -> None:
        """The rose; its rings are 30 and 60 degrees above the horizon, and say so."""
        self._rose.draw_face(painter)
        centre, radius = self._rose.rose()
        painter.setFont(self._rose.sized_font(0.85))
        away = math.radians(75.0)  # of the screen, between two ticks
        for elevation in (30, 60):
            far = radius * (90 - elevation) / 90
            place = centre + far * QtCore.QPointF(math.cos(away), -math.sin(away))
            text_at(painter, self._rose.faint(0.6), place, f"{elevation}°")
        painter.setFont(self._rose.font())

    def outline(self) -> QtGui.QPainterPath:
        """What is drawn stays within it."""
        centre, radius = self._rose.rose()
        path = QtGui.QPainterPath()
        path.addEllipse(centre, radius + 3, radius + 3)
        return path

    def point(self, azimuth_deg: float, elevation_deg: float, convention: Convention | None = None) -> QtCore.QPointF:
        """Point on the screen of a direction."""
        return self._rose.point(azimuth_deg, (90.0 - elevation_deg) / 90.0, convention)

    def paths(self, curve: "NDArray[np.float64]", azimuth_deg: float) -> list[QtGui.QPainterPath]:
        """A closed curve (n, 2) of azimuths and elevations about a direction."""
        return [_closed([self.point(a, e) for a, e in curve])]


class Panorama:
    """Azimuth, or bearing, to the right and elevation upwards, from the nadir to the zenith."""

    numbers_beside = False

    def __init__(self, view: RoseView, convention: Convention) -> None:
        self._view, self._convention = view, convention
        metrics = view.fontMetrics()
        room = view.area().adjusted(0, 0, 0, -_BELOW * metrics.height())
        self._low = -180.0 if view.signed and not convention.is_compass else 0.0
        self.axes = Axes(axes_frame(room, metrics), (self._low, self._low + 360.0), (-90.0, 90.0))

    def draw_face(self, painter: QtGui.QPainter) -> None:
        """Axes, and the horizon."""
        names = (f"{self._convention.quantity} (deg)", "elevation (deg)")
        view = self._view
        self.axes.draw(painter, view.ink, view.faint(0.25), view.palette().base(), names)
        painter.setPen(QtGui.QPen(view.faint(0.6), 1))
        painter.drawLine(self.axes.at(self._low, 0.0), self.axes.at(self._low + 360.0, 0.0))

    def outline(self) -> QtGui.QPainterPath:
        """What is drawn stays within it."""
        path = QtGui.QPainterPath()
        path.addRect(self.axes.frame)
        return path

    def point(self, azimuth_deg: float, elevation_deg: float, convention: Convention | None = None) -> QtCore.QPointF:
        """Point on the screen of a direction."""
        shown = (convention or self._convention).shown_deg(azimuth_deg)
        return self.axes.at(self._low + (shown - self._low) % 360.0, elevation_deg)

    def paths(self, curve: "NDArray[np.float64]", azimuth_deg: float) -> list[QtGui.QPainterPath]:
        """A closed curve about a direction; what reaches over an edge goes on at the other."""
        flat = unrolled(curve, azimuth_deg)
        shift = self._convention.shown_deg(azimuth_deg)
        shift = self._low + (shift - self._low) % 360.0
        sense = -1.0 if self._convention.is_compass else 1.0
        x = shift + sense * (flat[:, 0] - azimuth_deg)
        return [
            _closed([self.axes.at(a + turn, e) for a, e in zip(x, flat[:, 1], strict=True)])
            for turn in (-360.0, 0.0, 360.0)
        ]


def draw_sources(painter: QtGui.QPainter, sky: PolarSky | Panorama, numbers: list[int], reading: Reading) -> None:
    """A dot a source, in the ellipse that holds it with 90 % probability where deviations are told."""
    above, spread = reading.elevation_deg, reading.elevation_std_deg
    if above is None:
        return
    for k, (number, azimuth, std) in enumerate(zip(numbers, reading.azimuth_deg, reading.std_deg, strict=True)):
        if above[k] != above[k]:
            continue
        colour = QtGui.QColor(colour_of(number))
        tied = 0.0 if reading.elevation_correlation is None else float(np.nan_to_num(reading.elevation_correlation[k]))
        curve = None if spread is None else sky_ellipse(azimuth, above[k], std, spread[k], tied)
        if curve is not None:
            fill = QtGui.QColor(colour)
            fill.setAlphaF(0.25)
            painter.setPen(QtGui.QPen(colour, 1.5))
            painter.setBrush(fill)
            for path in sky.paths(curve, float(azimuth)):
                painter.drawPath(path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawEllipse(sky.point(float(azimuth), float(above[k])), 4, 4)


def draw_modes(painter: QtGui.QPainter, sky: PolarSky | Panorama, ink: QtGui.QColor, reading: Reading) -> None:
    """Rings where else the directions may be, the larger the more probable; the first place is what is reported."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QtGui.QPen(ink, 1.2))
    for mode in reading.modes[1:]:
        size = 3.0 + 8.0 * math.sqrt(max(0.0, mode.share)) if mode.share == mode.share else 3.0
        for azimuth, elevation in zip(mode.azimuth_deg, mode.elevation_deg, strict=True):
            if math.isfinite(azimuth + elevation):
                painter.drawEllipse(sky.point(float(azimuth), float(elevation)), size, size)


def _closed(points: list[QtCore.QPointF]) -> QtGui.QPainterPath:
    path = QtGui.QPainterPath()
    path.addPolygon(QtGui.QPolygonF(points))
    path.closeSubpath()
    return path

"""Compass rose: a needle and a wedge of one standard deviation a source, and where they were before."""

import math
from collections import deque

from PyQt5 import QtCore, QtGui
from PyQt5.QtCore import Qt

from doamc.views.convention import Convention
from doamc.views.palette import colour_of
from doamc.views.reading import Reading
from doamc.views.tracks import Tracker
from gr_doamc.qt_axes import text_at
from gr_doamc.qt_view import View

#: bearings kept for the trail, whatever the time
MOST = 1000
#: the trail ends so far in, as a share of the radius
INNER = 0.3


class CompassView(View):
    """A rose with the newest reading, and a trail: the newest bearings at the rim, older ones further in.

    convention: of angles. history: s of stream time that the trail shows; 0 shows none.
    """

    def __init__(self, title: str, convention: Convention, history: float, update_time: float) -> None:
        super().__init__(title, update_time)
        self.convention, self.history = convention, history
        self.reading: Reading | None = None
        self.numbers: list[int] = []
        self.trail: deque[tuple[float, float, int]] = deque(maxlen=MOST)  # time in s, azimuth in degrees, number
        self._tracker = Tracker()
        self._signed = True
        compass = self.add_action("Compass bearings", self._choose)
        compass.setCheckable(True)
        compass.setChecked(convention.kind == "compass")

    def show_reading(self, reading: Reading) -> None:
        """The reading becomes the newest; one that comes late joins the trail only."""
        numbers = self._tracker.assign(reading.time_s, reading.azimuth_deg)
        if self.reading is None or reading.time_s >= self.reading.time_s or reading.seq <= self.reading.seq:
            self.reading, self.numbers = reading, numbers
        if self.trail and self.trail[-1][0] > reading.time_s + self.history:  # another run
            self.trail.clear()
        self.trail += [(reading.time_s, float(a), n) for a, n in zip(reading.azimuth_deg, numbers, strict=True)]
        if len(reading.azimuth_deg):
            self._signed = bool((reading.azimuth_deg < 0).any() or (reading.azimuth_deg <= 180).all())

    def rose(self) -> tuple[QtCore.QPointF, float]:
        """Centre and radius on the screen."""
        return self._layout()[:2]

    def _layout(self) -> tuple[QtCore.QPointF, float, bool]:
        """Centre, radius, and whether the figures stand beside the rose; below where that leaves it larger."""
        area, metrics = self.area(), QtGui.QFontMetricsF(self.font())
        label_x, label_y = metrics.horizontalAdvance("-150°") + 8, 1.5 * metrics.height()
        figures = max(metrics.horizontalAdvance(text) for text in ("+150.0° ± 10.0°", *self._about())) + 26
        beside = area.adjusted(0, 0, -figures, 0)
        below = area.adjusted(0, 0, 0, -2.5 * metrics.height())
        radii = [min(room.width() / 2 - label_x, room.height() / 2 - label_y) for room in (beside, below)]
        wide = radii[0] >= radii[1]
        return (beside if wide else below).center(), max(20.0, *radii), wide

    def point(self, azimuth_deg: float, share: float = 1.0) -> QtCore.QPointF:
        """Point on the screen at an azimuth and a share of the radius."""
        centre, radius = self.rose()
        angle = math.radians(self.convention.screen_deg(azimuth_deg))
        return centre + share * radius * QtCore.QPointF(math.cos(angle), -math.sin(angle))

    def draw(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        """Rose, trail, wedges, needles, then the figures beside or below."""
        self._draw_rose(painter)
        if self.reading is None:
            text_at(painter, self.faint(0.6), self.rose()[0], "waiting for estimates")
            return
        self._draw_trail(painter)
        sources = list(zip(self.numbers, self.reading.azimuth_deg, self.reading.std_deg, strict=True))
        for number, azimuth, std in sources:
            self._draw_wedge(painter, QtGui.QColor(colour_of(number)), azimuth, std)
        for number, azimuth, _ in sources:
            painter.setPen(QtGui.QPen(QtGui.QColor(colour_of(number)), 3, cap=Qt.RoundCap))
            painter.drawLine(self.rose()[0], self.point(azimuth))
        painter.setPen(Qt.NoPen)
        painter.setBrush(self.ink)
        painter.drawEllipse(self.rose()[0], 4, 4)
        self._draw_figures(painter, area)

    def _draw_rose(self, painter: QtGui.QPainter) -> None:
        centre, radius = self.rose()
        high = painter.fontMetrics().height()
        painter.setPen(QtGui.QPen(self.ink, 1))
        painter.setBrush(self.palette().base())
        painter.drawEllipse(centre, radius, radius)
        painter.setBrush(Qt.NoBrush)
        painter.setPen(QtGui.QPen(self.faint(0.18), 1, Qt.DotLine))
        for share in (1 / 3, 2 / 3):
            painter.drawEllipse(centre, share * radius, share * radius)
        place = [(math.cos(math.radians(a)), -math.sin(math.radians(a))) for a in range(0, 360, 10)]
        for k, (x, y) in enumerate(place):
            out = QtCore.QPointF(x, y)
            if k % 3 == 0:
                painter.setPen(QtGui.QPen(self.faint(0.18), 1, Qt.DotLine))
                painter.drawLine(centre, centre + radius * out)
            painter.setPen(QtGui.QPen(self.ink, 1))
            painter.drawLine(centre + (radius - (8 if k % 3 == 0 else 4)) * out, centre + radius * out)
        step = 30 if radius > 4 * high else 90
        for text, angle in self.convention.ticks(step, self._signed):
            painter.setFont(self.sized_font(1.0, bold=text in "NESW"))
            out = QtCore.QPointF(math.cos(math.radians(angle)), -math.sin(math.radians(angle)))
            beside = radius + (0.75 + 0.6 * abs(out.x())) * high
            text_at(painter, self.ink, centre + beside * out, text)
        painter.setFont(self.font())
        if self.convention.kind == "compass":  # where the array's +x axis points
            painter.setPen(Qt.NoPen)
            painter.setBrush(self.faint(0.6))
            painter.drawPolygon(self.point(0.0), self.point(2.5, 0.93), self.point(-2.5, 0.93))
            text_at(painter, self.faint(0.6), self.point(0.0, 0.93 - 0.7 * high / radius), "+x")

    def _draw_trail(self, painter: QtGui.QPainter) -> None:
        if self.history <= 0:
            return
        painter.setPen(Qt.NoPen)
        for time_s, azimuth, number in self.trail:
            age = (self.reading.time_s - time_s) / self.history
            if 0 <= age <= 1:
                colour = QtGui.QColor(colour_of(number))
                colour.setAlphaF(0.75 - 0.55 * age)
                painter.setBrush(colour)
                painter.drawEllipse(self.point(azimuth, 1 - (1 - INNER) * age), 2.2, 2.2)

    def _draw_wedge(self, painter: QtGui.QPainter, colour: QtGui.QColor, azimuth: float, std: float) -> None:
        if not std > 0:  # NaN: not known
            return
        centre, radius = self.rose()
        box = QtCore.QRectF(centre.x() - radius, centre.y() - radius, 2 * radius, 2 * radius)
        half = min(std, 180.0)
        begin, span = self.convention.screen_deg(azimuth) - half, 2 * half
        fill = QtGui.QColor(colour)
        fill.setAlphaF(0.25)
        painter.setPen(Qt.NoPen)
        painter.setBrush(fill)
        painter.drawPie(box, round(16 * begin), max(1, round(16 * span)))
        rim = QtGui.QPen(colour, 5, cap=Qt.FlatCap)
        painter.setPen(rim)
        painter.drawArc(box, round(16 * begin), max(1, round(16 * span)))

    def _draw_figures(self, painter: QtGui.QPainter, area: QtCore.QRectF) -> None:
        centre, radius, wide = self._layout()
        high = 1.25 * painter.fontMetrics().height()
        r = self.reading
        lines = [
            (colour_of(n), self.convention.text(a, s, 1 if s != s or s >= 0.1 else 2))
            for n, a, s in zip(self.numbers, r.azimuth_deg, r.std_deg, strict=True)
        ]
        if wide:
            left = centre.x() + radius + painter.fontMetrics().horizontalAdvance("-150°") + 14
            top = centre.y() - high * (len(lines) + 2) / 2
            for k, (colour, text) in enumerate(lines):
                self._draw_entry(painter, QtCore.QPointF(left, top + k * high), colour, text)
            below = QtCore.QPointF(left, top + (len(lines) + 0.6) * high)
            for k, text in enumerate(self._about()):
                text_at(painter, self.faint(0.65), below + QtCore.QPointF(0, k * high), text, Qt.AlignLeft)
            return
        row = area.bottom() - 1.4 * high
        width = area.width() / max(1, len(lines))
        for k, (colour, text) in enumerate(lines):
            half = (painter.fontMetrics().horizontalAdvance(text) + 14) / 2
            self._draw_entry(painter, QtCore.QPointF(area.left() + (k + 0.5) * width - half, row), colour, text)
        text_at(painter, self.faint(0.65), QtCore.QPointF(area.center().x(), row + high), ", ".join(self._about()))

    def _draw_entry(self, painter: QtGui.QPainter, at: QtCore.QPointF, colour: str, text: str) -> None:
        painter.setPen(Qt.NoPen)
        painter.setBrush(QtGui.QColor(colour))
        painter.drawEllipse(at + QtCore.QPointF(4, 0), 4, 4)
        text_at(painter, self.ink, at + QtCore.QPointF(14, 0), text, Qt.AlignLeft)

    def _about(self) -> list[str]:
        if self.reading is None:
            return []
        found = [] if len(self.reading.azimuth_deg) else ["no source"]
        return [*found, self.reading.array, self.reading.method]

    def _choose(self, compass: bool) -> None:
        self.convention = Convention("compass" if compass else "math", self.convention.heading_deg)
        self.update()

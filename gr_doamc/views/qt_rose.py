"""Face of a compass: circle, ticks and labels, and where an azimuth lies on the screen."""

import math

from doamc.views.convention import Convention
from gr_doamc.views.qt_axes import text_at
from gr_doamc.views.qt_binding import Qt, QtCore, QtGui
from gr_doamc.views.qt_view import View


class RoseView(View):
    """A rose with room for numbers beside or below it; context menu: compass bearings instead of azimuths.

    convention: of angles. heading_deg: of the +x axis, as the newest estimate tells it, or None.
    """

    def __init__(self, title: str, convention: Convention, update_time: float) -> None:
        super().__init__(title, update_time)
        self.convention = convention
        self.heading_deg: float | None = None
        self.signed = True
        #: of text that is written of each source
        self.lines = 1
        compass = self.add_action("Compass bearings", self._choose)
        compass.setCheckable(True)
        compass.setChecked(convention.kind == "compass")

    @property
    def shown(self) -> Convention:
        """How angles are shown now."""
        return self.convention.of(self.heading_deg)

    def about(self) -> list[str]:
        """Lines of text that stand below the numbers."""
        return []

    def rose(self) -> tuple[QtCore.QPointF, float]:
        """Centre and radius on the screen."""
        return self.arrangement()[:2]

    def arrangement(self) -> tuple[QtCore.QPointF, float, bool]:
        """Centre, radius, and whether the numbers stand beside the rose; below where that leaves it larger."""
        area, metrics = self.area(), QtGui.QFontMetricsF(self.font())
        label_x, label_y = metrics.horizontalAdvance("-150°") + 8, 1.5 * metrics.height()
        numbers = max(metrics.horizontalAdvance(text) for text in ("+150.0° ± 10.0°", *self.about())) + 26
        beside = area.adjusted(0, 0, -numbers, 0)
        below = area.adjusted(0, 0, 0, -(1.25 * (self.lines + 1)) * metrics.height())
        radii = [min(room.width() / 2 - label_x, room.height() / 2 - label_y) for room in (beside, below)]
        wide = radii[0] >= radii[1]
        return (beside if wide else below).center(), max(20.0, *radii), wide

    def point(self, azimuth_deg: float, share: float = 1.0, convention: Convention | None = None) -> QtCore.QPointF:
        """Point on the screen at an azimuth and a share of the radius; in the convention of now, unless another."""
        centre, radius = self.rose()
        angle = math.radians((convention or self.shown).screen_deg(azimuth_deg))
        return centre + share * radius * QtCore.QPointF(math.cos(angle), -math.sin(angle))

    def draw_face(self, painter: QtGui.QPainter) -> None:
        """The rose without any source."""
        centre, radius = self.rose()
        high = painter.fontMetrics().height()
        painter.setPen(QtGui.QPen(self.ink, 1))
        painter.setBrush(self.palette().base())
        painter.drawEllipse(centre, radius, radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QtGui.QPen(self.faint(0.18), 1, Qt.PenStyle.DotLine))
        for share in (1 / 3, 2 / 3):
            painter.drawEllipse(centre, share * radius, share * radius)
        place = [(math.cos(math.radians(a)), -math.sin(math.radians(a))) for a in range(0, 360, 10)]
        for k, (x, y) in enumerate(place):
            out = QtCore.QPointF(x, y)
            if k % 3 == 0:
                painter.setPen(QtGui.QPen(self.faint(0.18), 1, Qt.PenStyle.DotLine))
                painter.drawLine(centre, centre + radius * out)
            painter.setPen(QtGui.QPen(self.ink, 1))
            painter.drawLine(centre + (radius - (8 if k % 3 == 0 else 4)) * out, centre + radius * out)
        step = 30 if radius > 4 * high else 90
        for text, angle in self.shown.ticks(step, self.signed):
            painter.setFont(self.sized_font(1.0, bold=text in "NESW"))
            out = QtCore.QPointF(math.cos(math.radians(angle)), -math.sin(math.radians(angle)))
            beside = radius + (0.75 + 0.6 * abs(out.x())) * high
            text_at(painter, self.ink, centre + beside * out, text)
        painter.setFont(self.font())
        if self.shown.is_compass:  # where the array's +x axis points
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.faint(0.6))
            painter.drawPolygon(self.point(0.0), self.point(2.5, 0.93), self.point(-2.5, 0.93))
            text_at(painter, self.faint(0.6), self.point(0.0, 0.93 - 0.7 * high / radius), "+x")

    def _choose(self, compass: bool) -> None:
        self.convention = Convention("compass" if compass else "math", self.convention.heading_deg)
        self.update()
